"""The picture beside a shared link: what stands on it, setting its text in any script, drawing and keeping it."""
