"""What the harness is made of: images, QEMU, and reading of consoles."""
