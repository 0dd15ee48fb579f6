"""Writes a network as an ONNX file of one batch size: export_onnx.py NETWORK SIZE BATCH OUT.

Runs in the peers' environment.
"""
import sys
import warnings

import torch

from peer_network import make_network

name, size, batch, path = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
# The newer exporter would need one more package, for the same file.
warnings.filterwarnings("ignore")
torch.onnx.export(make_network(name).eval(), torch.zeros(batch, 3, size, size), path, dynamo=False)
