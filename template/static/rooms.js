// The list of rooms: a name typed into the field opens that room.

const form = document.querySelector("#open");

form.addEventListener("submit", (event) => {
  event.preventDefault();
  location.assign(`${form.dataset.rooms}${form.elements.room.value}/`);
});
