// A page that was open while a deployment changed its scripts may no longer understand the site.
// chat.js and stream.js ask when they cannot connect.

const sources = (page) =>
  [...page.querySelectorAll("script[src]")].map((script) => script.getAttribute("src")).join();

// Load the page again if it now has other scripts; not twice within a minute, as two versions
// may be answering by turns.
window.reloadIfOld = async () => {
  try {
    const response = await fetch(location.href);
    if (!response.ok) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const reloaded = Number(sessionStorage.getItem("reloaded"));
    if (sources(page) === sources(document) || Date.now() - reloaded < 60_000) return;
    sessionStorage.setItem("reloaded", Date.now());
    location.reload();
  } catch {
    // The site does not answer: there will be another time.
  }
};
