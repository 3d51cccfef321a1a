import { startSandbox } from "../../sandbox/sandbox";
import { benchmark, conditions } from "../benchmark";
import { summary } from "./report";
import { soak } from "./soak";

/** `make soak MINUTES=30` */
benchmark("Soak", async () => {
  const minutes = Number(process.env.MINUTES || 30);
  if (!(minutes >= 1 && minutes <= 24 * 60)) throw new Error(`MINUTES=${process.env.MINUTES}: a number from 1 to 1440`);
  const sandbox = await startSandbox((line) => console.error(line));
  try {
    console.log(conditions(sandbox.parts));
    const soaked = await soak(sandbox, minutes * 60, (line) => console.error(line));
    console.log(summary(soaked));
    if (!soaked.passed) process.exitCode = 1;
  } finally {
    await sandbox.stop();
  }
});
