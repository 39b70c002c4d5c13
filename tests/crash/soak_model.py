"""What a pipeline's assets have to hold, and which of them have to run, said once more and independently of Troupe: a model to hold it
against. Knows files and commands as the soak makes them; nothing of Troupe."""
import hashlib


class Asset:
    """One asset of the soak's pipelines: prints its version, perhaps the param, and its inputs, and keeps the digest."""

    def __init__(self, name, inputs, version, uses_param):
        self.name, self.inputs, self.version, self.uses_param = name, sorted(inputs), version, uses_param
        self.output = f"out/{name}"

    def command(self):
        param = "echo {{ params.p }}; " if self.uses_param else ""
        slow = "sleep 0.05; " if self.version > 4 else ""       # at work still when the run is killed
        return (f"echo begin $TROUPE_ATTEMPT $TROUPE_RUN_ID >> ran/{self.name}; test ! -e fail/{self.name} || exit 9; "
                f"echo to the log; {slow}{{ echo {self.version}; {param}cat {' '.join(self.inputs)}; }} | md5sum > {self.output}; "
                f"echo end $TROUPE_ATTEMPT $TROUPE_RUN_ID >> ran/{self.name}")

    def content(self, read, param):
        """What its output holds after it ran; `read` gives the content of an input."""
        text = f"{self.version}\n" + (f"{param}\n" if self.uses_param else "") + "".join(read(path) for path in self.inputs)
        return hashlib.md5(text.encode()).hexdigest() + "  -\n"


class Pipeline:
    """Assets in topological order, and the param's value."""

    def __init__(self, assets, param):
        self.assets, self.param = assets, param

    def document(self):
        return {"name": "soak", "params": {"p": self.param},
                "engine": {"workers": 2, "error_strategy": "continue", "grace_period": "2s", "keep_runs": 30},
                "assets": {asset.name: {"command": asset.command(), "inputs": asset.inputs, "outputs": [asset.output],
                                        **({"durability": "strict"} if asset.version % 3 == 0 else {})} for asset in self.assets}}


class Model:
    """What has been made, by asset: from what, and what came out. `unfinished`: started since without a success."""

    def __init__(self):
        self.made = {}
        self.unfinished = set()

    @staticmethod
    def basis(asset, param, read):
        return (asset.command(), param if asset.uses_param else None, tuple((path, read(path)) for path in asset.inputs))

    def predict(self, pipeline, disk, failing):
        """What an undisturbed run does with each asset: succeeded, fresh, failed or blocked; and what it then holds. `disk` gives the
        content of a file now, None if there is none."""
        fate, content = {}, {}

        def read(path):
            return content[path] if path in content else disk(path)

        for asset in pipeline.assets:
            needs = [other for other in pipeline.assets if other.output in asset.inputs]
            if any(fate[other.name] in ("failed", "blocked") for other in needs):
                fate[asset.name] = "blocked"
                content[asset.output] = disk(asset.output)
                continue
            made = self.made.get(asset.name)
            stale = (made is None or asset.name in self.unfinished or made[0] != self.basis(asset, pipeline.param, read) or
                     disk(asset.output) != made[1])
            if stale and asset.name in failing:
                fate[asset.name] = "failed"
                content[asset.output] = disk(asset.output)
            elif stale:
                fate[asset.name] = "succeeded"
                content[asset.output] = asset.content(read, pipeline.param)
            else:
                fate[asset.name] = "fresh"
                content[asset.output] = made[1]
        return fate, content

    def record(self, pipeline, disk, succeeded, started):
        """What the journal says after a run: which assets have succeeded in it, which it has started. No file but outputs has
        changed since, so what they were made from is what is there."""
        content = {}

        def read(path):
            return content[path] if path in content else disk(path)

        for asset in pipeline.assets:
            if asset.name in succeeded:
                content[asset.output] = asset.content(read, pipeline.param)
                self.made[asset.name] = (self.basis(asset, pipeline.param, read), content[asset.output])
                self.unfinished.discard(asset.name)
            elif asset.name in started:
                self.unfinished.add(asset.name)
