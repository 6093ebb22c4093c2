// Shows the bar that leads to the form while the form is out of sight.
const bar = document.querySelector('[data-module="sign-bar"]');
const form = document.getElementById("sign");

if (bar && form) {
  new IntersectionObserver(([entry]) => {
    bar.hidden = entry.isIntersecting;
  }).observe(form);
}
