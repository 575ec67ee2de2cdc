package cuda

// rank keeps the backend out of what Open("") chooses from: a GPU is used by name only.
const rank = 0

// about is what the backend runs on, where no GPU says its name.
const about = "NVIDIA GPUs"
