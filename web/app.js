new EventSource("/api/v1/live").addEventListener("channels", (event) => {
  document.getElementById("channels").textContent = event.data;
});
