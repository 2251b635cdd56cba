"""Reads a digit with a network that holds its own weights.

    python3 digits.py out/libmnist.so
"""
import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parent.parent / "Python"))
from network import Network

picture = np.zeros((1, 1, 28, 28), np.float32)  # gray levels, 0 to 255
picture[0, 0, 4:24, 14] = 255

network = Network(sys.argv[1])
print(network)
[scores] = network(picture)
print("digit", scores[0].argmax())
