// Puts on the theme that was chosen in the settings, before anything is drawn. Without a choice the system decides.
try {
  const theme = localStorage.getItem("natter-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // A browser that keeps nothing shows what the system says.
}
