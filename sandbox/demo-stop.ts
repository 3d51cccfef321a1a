import { endKept } from "./sandbox";

endKept((line) => console.log(line)).then(
  () => process.exit(0),
  (error: Error) => {
    console.error(`demo-stop: ${error.message}`);
    process.exit(1);
  },
);
