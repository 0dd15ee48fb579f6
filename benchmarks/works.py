"""What is timed: a pass of a network, or a training step, at an image size and batch."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Work:
    """The name, here and in effnet's own benchmarks, is MODEL_SIZE_nBATCH."""
    name: str
    title: str
    network: str  # as timm calls it
    size: int
    batch: int
    trains: bool = False
    # The larger training steps would take most of an hour on one thread.
    on_one_thread: bool = True

    @property
    def label(self):
        return f"{self.title} @{self.size}, batch {self.batch}"

    @property
    def systems(self):
        """effnet first, then its peers; the last two are PyTorch's two ways to run a network."""
        inference = () if self.trains else ("onnxruntime", "openvino")
        return ("effnet", *inference, "pytorch", "pytorch_compiled")


WORKS = {work.name: work for work in (
    Work("v2s_384_n1", "V2-S", "tf_efficientnetv2_s", 384, 1),
    Work("v2s_384_n8", "V2-S", "tf_efficientnetv2_s", 384, 8),
    Work("b0_224_n1", "B0", "efficientnet_b0", 224, 1),
    Work("b0_224_n16", "B0", "efficientnet_b0", 224, 16),
    Work("v2b0_224_n1", "V2-B0", "tf_efficientnetv2_b0", 224, 1),
    Work("v2m_480_n1", "V2-M", "tf_efficientnetv2_m", 480, 1),
    Work("b4_380_n1", "B4", "efficientnet_b4", 380, 1),
    Work("train_b0_224_n16", "B0", "efficientnet_b0", 224, 16, trains=True),
    Work("train_v2s_128_n16", "V2-S", "tf_efficientnetv2_s", 128, 16, trains=True,
         on_one_thread=False),
    Work("train_v2s_300_n8", "V2-S", "tf_efficientnetv2_s", 300, 8, trains=True,
         on_one_thread=False),
)}
# The training step whose peak memory is compared too.
MEMORY_WORK = "train_v2s_300_n8"

SYSTEM_TITLES = {"effnet": "effnet", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO",
                 "pytorch": "PyTorch", "pytorch_compiled": "PyTorch, compiled"}
