/** Pages plain enough for a person, and for a browser test to find its way by labels and names. */

const STYLE = `body{font:16px/1.4 system-ui,sans-serif;background:#18191a;display:grid;place-items:center;min-height:100vh;margin:0}
main{background:#fff;border-radius:6px;padding:2rem;width:20rem}h1{font-size:1.3rem;margin:0 0 1rem}
label,input,button{display:block;width:100%;box-sizing:border-box}input,button{margin:.3rem 0 1rem;padding:.5rem;font:inherit}
button{background:#fd4b2d;color:#fff;border:0;border-radius:4px}[role=alert]{color:#b00020}`;

const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

function page(title: string, main: string): string {
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="UTF-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} - authentik</title><style>${STYLE}</style></head>
<body><main><h1>${escapeHtml(title)}</h1>${main}</main></body></html>`;
}

export const messagePage = (title: string, message: string) =>
  page(title, `<p role="alert">${escapeHtml(message)}</p>`);

export const deniedPage = (username: string) =>
  page(
    "Permission denied",
    `<p>${escapeHtml(username)}</p><p role="alert">Request has been denied.</p><a href="/">Go home</a>`,
  );

/** `/if/flow/<slug>/`: drives the executor by fetch, as Authentik's own page does. */
export const flowPage = (title: string, slug: string) =>
  page(
    title,
    `<div id="stage"></div><noscript>This page needs JavaScript.</noscript><script>${flowScript(slug)}</script>`,
  );

const flowScript = (slug: string) => `
const url = "/api/v3/flows/executor/${encodeURIComponent(slug)}/?query=" + encodeURIComponent(location.search.slice(1));
const cookie = (name) => (document.cookie.split("; ").find((c) => c.startsWith(name + "=")) || "").slice(name.length + 1);
const element = (name, attributes = {}, text = "") =>
  Object.assign(document.createElement(name), attributes, text ? { textContent: text } : {});
const forms = {
  "ak-stage-identification": () => [["uid_field", "Email or Username", "text", "username"], "Log in"],
  "ak-stage-password": () => [["password", "Password", "password", "current-password"], "Continue"],
  "ak-stage-consent": () => [null, "Continue"],
};
async function step(answer) {
  const headers = { accept: "application/json", "content-type": "application/json", "X-authentik-CSRF": cookie("authentik_csrf") };
  const response = await fetch(url, answer ? { method: "POST", headers, body: JSON.stringify(answer) } : { headers });
  show(await response.json());
}
const links = {
  "ak-stage-session-end": (challenge) => [
    "You've logged out of " + challenge.application_name + ". You can go back to the overview to launch another application, or log out of your authentik account.",
    ["/", "Go back to overview"],
    [challenge.invalidation_flow_url, "Log out of " + challenge.brand_name],
    [challenge.application_launch_url, "Log back into " + challenge.application_name],
  ],
};
function show(challenge) {
  if (challenge.component === "xak-flow-redirect") { location.assign(challenge.to); return; }
  const stage = document.getElementById("stage");
  if (links[challenge.component]) {
    const [text, ...targets] = links[challenge.component](challenge);
    const paragraphs = targets.filter(([href]) => href).map(([href, name]) => {
      const paragraph = element("p");
      paragraph.append(element("a", { href }, name));
      return paragraph;
    });
    stage.replaceChildren(element("p", {}, text), ...paragraphs);
    return;
  }
  const make = forms[challenge.component];
  if (!make) {
    const text = challenge.component === "ak-stage-access-denied" ? challenge.error_message || "Request has been denied." : "Something went wrong (" + challenge.component + ").";
    stage.replaceChildren(element("p", { role: "alert" }, text));
    return;
  }
  const [field, action] = make();
  const form = element("form");
  if (challenge.pending_user) form.append(element("p", {}, challenge.pending_user));
  if (challenge.header_text) form.append(element("p", {}, challenge.header_text));
  for (const error of Object.values(challenge.response_errors || {}).flat()) form.append(element("p", { role: "alert" }, error.string));
  if (field) {
    const [name, label, type, autocomplete] = field;
    const input = element("input", { id: name, name, type, autocomplete, required: true });
    form.append(element("label", { htmlFor: name }, label), input);
  }
  form.append(element("button", { type: "submit" }, action));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const token = challenge.token ? { token: challenge.token } : {};
    step({ component: challenge.component, ...token, ...Object.fromEntries(new FormData(form)) });
  });
  stage.replaceChildren(form);
  (form.querySelector("input") || form.querySelector("button")).focus();
}
step();
`;
