"""effnet's own benchmarks: builds them, and times a work with them."""
import json
import pathlib
import subprocess

SOURCE = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = ("bench_network", "bench_training")


class BuildFailed(Exception):
    """A sentence that says what could not be built or run, and why."""


class EffnetPrograms:
    def __init__(self, build_dir):
        self.folder = build_dir / "benchmarks"

    @classmethod
    def built(cls, build_dir):
        """As they are in the folder; where none is given, built there with the preset `release`."""
        programs = cls(build_dir or SOURCE / "build" / "release")
        if build_dir is None:
            run_build_step(["cmake", "--preset", "release"])
            run_build_step(["cmake", "--build", "--preset", "release", "--target", *PROGRAMS])
        for name in PROGRAMS:
            if not (programs.folder / name).is_file():
                raise BuildFailed(f"{programs.folder} has no {name}; build it (cmake --build "
                                  f"{build_dir} --target {' '.join(PROGRAMS)}) or leave "
                                  "--build-dir out")
        return programs

    def time(self, work, threads, environment):
        """Milliseconds of every pass, the peak memory of the process, and what it says about the
        machine."""
        program = self.folder / PROGRAMS[work.trains]
        run = subprocess.run([program, f"--benchmark_filter=^{work.name}/threads:{threads}/",
                              "--benchmark_format=json"],
                             capture_output=True, text=True, env=environment)
        if run.returncode != 0:
            raise BuildFailed(f"{program} failed on {work.name}: {run.stderr.strip()}")
        result = json.loads(run.stdout) if run.stdout.strip() else {"benchmarks": []}
        rows = [row for row in result["benchmarks"] if row["run_type"] == "iteration"]
        if not rows:
            raise BuildFailed(f"{program} has no benchmark {work.name} for threads: {threads}; it "
                              "is older than this script, so build it anew")
        machine = {key: result["context"][key] for key in ("cpu", "isa", "onednn", "effnet")}
        return {"times": [row["real_time"] for row in rows], "peak_mb": rows[-1]["peak_MB"],
                "machine": machine}


def run_build_step(command):
    try:
        run = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True)
    except FileNotFoundError:
        raise BuildFailed(f"{command[0]} is not there; install it, or give --build-dir with the "
                          "built benchmarks in it") from None
    if run.returncode != 0:
        output = (run.stdout + run.stderr).strip().splitlines()
        raise BuildFailed("\n".join(output[-20:]) + f"\n{' '.join(command)} failed; its last lines "
                          "are above (bash tests/run.sh installs what a build needs)")
