"""Where the public files of the mix lie below the data folder, with their digests."""

from pathlib import Path
from typing import NamedTuple

from toolmint.training.mix_card import FileDigest, file_digest


class MixFiles(NamedTuple):
    """The data folder, with the public files at the paths that the documentation names.

    Attributes:
        folder: the data folder.
        never: files of trajectories whose requests and tools no part may have, such as a test.
    """

    folder: Path
    never: tuple[Path, ...] = ()

    @property
    def seal_documents(self) -> Path:
        """Seal-Tools' documents."""
        return self.folder / "seal_tools/tool.jsonl"

    @property
    def seal_queries(self) -> Path:
        """Seal-Tools' dev part."""
        return self.folder / "seal_tools/dev.jsonl"

    @property
    def api_bank(self) -> Path:
        """API-Bank's training samples of level 3."""
        return self.folder / "api_bank/lv3-train.json"

    @property
    def toolbench_runs(self) -> Path:
        """The example runs of alpha-UMi's training data."""
        return self.folder / "toolbench/umi_train_example/raw_data/raw_data_stage_2.json"

    @property
    def toolbench_apis(self) -> list[Path]:
        """StableToolBench's files, of which the documents alone are read."""
        names = ("G1_instruction", "G1_tool", "G2_instruction", "G3_instruction")
        return [self.folder / f"toolbench/solvable_queries/{name}.json" for name in names]

    def names(self) -> list[str]:
        """Return the files' paths below the data folder."""
        files = [self.seal_documents, self.seal_queries, self.api_bank, self.toolbench_runs]
        return [self._below(one) for one in [*files, *self.toolbench_apis]]

    def _below(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def digests(self, *files: Path) -> tuple[FileDigest, ...]:
        """Return files with their digests."""
        return tuple(FileDigest(file=self._below(one), sha256=file_digest(one)) for one in files)
