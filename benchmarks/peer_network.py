"""The network that the peers run, as timm defines it. Runs in the peers' environment."""
import timm
import torch


def make_network(name):
    """With random weights, and the symmetric padding that effnet's benchmarks have too:
    TensorFlow's would cost the peers, which pad in passes of their own, more than effnet."""
    torch.manual_seed(1)
    return timm.create_model(name, pretrained=False, pad_type="")
