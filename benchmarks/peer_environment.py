"""The private Python environment with the peers in it, and what is kept there between runs."""
import json
import os
import pathlib
import subprocess
import sys

SCRIPTS = pathlib.Path(__file__).resolve().parent
PACKAGES = ("torch", "timm", "onnx", "onnxruntime", "openvino", "numpy")


def default_folder():
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(cache) / "effnet" / "peers"


class PeerFailed(Exception):
    """A sentence that says which peer could not be installed or timed, and why."""


def last_line(output):
    """The line on which Python programs say what went wrong."""
    lines = [line.strip() for line in (output or "").splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


class PeerEnvironment:
    def __init__(self, folder):
        self.folder = folder
        self.python = folder / "bin" / "python"
        self.installed = folder / "effnet_peers.json"  # written last: versions of what is there

    def install(self, say):
        """Makes the environment where it is not, or not all of it, and returns the versions."""
        if self.installed.exists():
            return json.loads(self.installed.read_text())
        say(f"installing {', '.join(PACKAGES)} into {self.folder} (6 GB, some minutes)")
        self._run([sys.executable, "-m", "venv", self.folder],
                  f"python3 -m venv could not make {self.folder} (Debian: package python3-venv)")
        self._run([self.python, "-m", "pip", "install", "-q", *PACKAGES],
                  f"pip could not install {', '.join(PACKAGES)} into {self.folder}, for which it "
                  "has to reach PyPI and find 6 GB of room")
        listing = self._run([self.python, "-m", "pip", "list", "--format=json"],
                            f"pip could not list what is in {self.folder}")
        versions = {package["name"]: package["version"] for package in json.loads(listing)
                    if package["name"] in PACKAGES}
        self.installed.write_text(json.dumps(versions, indent=1) + "\n")
        return versions

    def _run(self, command, sentence):
        """Its output; where it fails, the sentence and the last line of what it said."""
        try:
            return subprocess.run(command, check=True, capture_output=True, text=True).stdout
        except subprocess.CalledProcessError as failure:
            raise PeerFailed(f"{sentence}: {last_line(failure.stderr or failure.stdout)}") from None
        except OSError as failure:
            raise PeerFailed(f"{sentence}: {failure.strerror}") from None

    def exported(self, work):
        """The ONNX file of a network at its size and batch."""
        path = self.folder / "onnx" / f"{work.name}.onnx"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            partial = path.with_suffix(".partial")
            self._run([self.python, SCRIPTS / "export_onnx.py", work.network, str(work.size),
                       str(work.batch), partial], f"{work.network} could not be written as ONNX")
            partial.rename(path)
        return path

    def time(self, system, work, threads, passes, environment):
        """Milliseconds of every pass and the peak memory of a process of its own."""
        arguments = [system, "train" if work.trains else "infer", work.network, work.size,
                     work.batch, threads, passes]
        if system in ("onnxruntime", "openvino"):
            arguments.append(self.exported(work))
        # Compiled code is kept, so that only the first round compiles.
        compiled = {"TORCHINDUCTOR_CACHE_DIR": str(self.folder / "compiled")}
        run = subprocess.run([self.python, SCRIPTS / "time_peer.py", *map(str, arguments)],
                             capture_output=True, text=True, env=environment | compiled)
        if run.returncode != 0:
            raise PeerFailed(f"{system} could not run {work.name} (threads: {threads}): "
                             f"{last_line(run.stderr)}")
        return json.loads(last_line(run.stdout))
