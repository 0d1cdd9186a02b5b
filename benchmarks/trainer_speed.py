"""Training steps of ours beside litgpt's and nanoGPT's: tokens per CPU second, in one run.

    python benchmarks/trainer_speed.py --tokens out/tokens --tokenizer out/models/tokenizer \\
        --litgpt /path/to/venv/bin/python [--precision bf16] [--compile] [--rounds 7]

Every contender is a process that waits for its turn; one after another they do a few optimizer
steps of the same batch, round after round, so that a busy machine is busy for all. Ratios are
medians over rounds. Ours reads its windows from the tokens and masks other documents; `ours,
causal` sees all that comes before, as the others do, which get random tokens in memory.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from sentencepiece import SentencePieceProcessor

WORKER = Path(__file__).with_name("trainer_speed_worker.py")
NAMES = {
    "ours": "ours",
    "ours-causal": "ours, causal",
    "litgpt": "litgpt",
    "gpt2": "nanoGPT's shape",
}


@dataclass
class Contender:
    """A process that does steps when told to, and the CPU and wall seconds of each turn."""

    process: subprocess.Popen[str]
    turns: list[tuple[float, float]]

    def steps(self, number: int) -> tuple[float, float]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(number, file=self.process.stdin, flush=True)
        while line := self.process.stdout.readline():
            if line.startswith("done "):
                cpu, wall = line.split()[1:]
                return float(cpu), float(wall)
        raise SystemExit("a contender failed, see above")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", required=True, help="token datasets")
    parser.add_argument("--tokenizer", required=True, help="folder of their tokenizer")
    parser.add_argument("--litgpt", help="interpreter of an environment with litgpt")
    parser.add_argument("--precision", default="fp32", choices=("fp32", "bf16"))
    parser.add_argument("--compile", action="store_true", help="all by torch.compile")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=2, help="of each turn")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--context", type=int, default=512)
    parser.add_argument("--windows", type=int, default=4, help="of a batch")
    parsed = parser.parse_args()
    file = Path(parsed.tokenizer, "tokenizer.model")
    vocabulary = SentencePieceProcessor(model_file=str(file)).vocab_size()
    contenders: dict[str, Contender] = {}
    for kind in NAMES:
        if kind == "litgpt" and not parsed.litgpt:
            continue
        interpreter = parsed.litgpt if kind == "litgpt" else sys.executable
        settings = json.dumps({**vars(parsed), "kind": kind, "vocabulary": vocabulary})
        process = subprocess.Popen(
            [interpreter, str(WORKER), settings],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        contenders[kind] = Contender(process, [])
        # The first steps compile, and fill caches.
        contenders[kind].steps(2)
    for _ in range(parsed.rounds):
        for contender in contenders.values():
            contender.turns.append(contender.steps(parsed.steps))
    for contender in contenders.values():
        assert contender.process.stdin is not None
        contender.process.stdin.close()
        contender.process.wait()
    tokens = parsed.steps * parsed.windows * parsed.context
    print(
        f"{parsed.precision}, {'compiled' if parsed.compile else 'eager'}, {parsed.threads} "
        f"thread(s), {parsed.windows} windows of {parsed.context}"
    )
    print(f"{'':<18}{'tokens/CPU s':>14}{'tokens/s':>12}{'CPU time, ours = 1':>20}")
    base = [cpu for cpu, _ in contenders["ours"].turns]
    for kind, contender in contenders.items():
        cpu, wall = (statistics.median(column) for column in zip(*contender.turns, strict=True))
        ratio = statistics.median(
            mine / ours for (mine, _), ours in zip(contender.turns, base, strict=True)
        )
        print(f"{NAMES[kind]:<18}{tokens / cpu:>14,.0f}{tokens / wall:>12,.0f}{ratio:>20.3f}")


if __name__ == "__main__":
    main()
