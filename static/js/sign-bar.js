// Shows the bar that leads to the form while the form is out of sight.
const bar = document.querySelector('[data-module="sign-bar"]');
const form = document.querySelector('[data-module="sign-form"]');

if (bar && form) {
  // The bar itself covers the lowest strip of the window.
  const options = { rootMargin: "0px 0px -72px 0px" };
  new IntersectionObserver(([entry]) => (bar.hidden = entry.isIntersecting), options).observe(form);
}
