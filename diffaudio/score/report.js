"use strict";
// One sound at a time. Versions of an utterance share their moment, so that switching compares.

const cards = [...document.querySelectorAll(".utterance")];
const players = [...document.querySelectorAll("audio")];

function show(player) {
  const figure = player.closest("figure");
  const share = player.duration ? player.currentTime / player.duration : 0;
  figure.querySelector("i").style.left = `${100 * share}%`;
  figure.classList.toggle("playing", !player.paused);
  figure.classList.toggle("paused", player.paused && share > 0 && share < 1);
}

function follow(player) {
  show(player);
  if (!player.paused) requestAnimationFrame(() => follow(player));
}

function start(player, moment) {
  const card = player.closest(".utterance");
  for (const other of card.querySelectorAll("audio")) {
    if (other !== player) {
      other.pause();
      other.currentTime = moment;
    }
  }
  player.currentTime = moment;
  card.dataset.chosen = [...card.querySelectorAll("audio")].indexOf(player);
  player.play();
}

for (const player of players) {
  player.addEventListener("play", () => {
    for (const other of players) if (other !== player) other.pause();
    follow(player);
  });
  for (const event of ["pause", "seeked", "ended"]) player.addEventListener(event, () => show(player));
}

for (const picture of document.querySelectorAll(".picture")) {
  picture.addEventListener("click", (event) => {
    const player = picture.parentElement.querySelector("audio");
    const box = picture.getBoundingClientRect();
    start(player, ((event.clientX - box.left) / box.width) * (player.duration || 0));
  });
}

function go(card, by) {
  const next = cards[cards.indexOf(card) + by];
  if (next) next.focus();
}

function onKey(event, card) {
  const own = [...card.querySelectorAll("audio")];
  const player = own[Number(card.dataset.chosen || 0)];
  const keys = {
    " ": () => (player.paused ? start(player, player.ended ? 0 : player.currentTime) : player.pause()),
    ArrowLeft: () => (player.currentTime -= 1),
    ArrowRight: () => (player.currentTime += 1),
    j: () => go(card, 1),
    k: () => go(card, -1),
  };
  own.forEach((other, number) => {
    keys[number + 1] = () => start(other, player.ended ? 0 : player.currentTime);
  });
  if (event.target === card && !event.ctrlKey && !event.metaKey && !event.altKey && keys[event.key]) {
    event.preventDefault();
    keys[event.key]();
  }
}

for (const card of cards) card.addEventListener("keydown", (event) => onKey(event, card));
