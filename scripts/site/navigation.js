// Where the list of pages is longer than the window, it shows the page that one is on.
{
  const pages = document.querySelector("nav");
  const here = pages.querySelector("[aria-current]");
  pages.scrollTop = here.offsetTop - pages.clientHeight / 3;
}
