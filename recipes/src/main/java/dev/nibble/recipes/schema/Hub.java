package dev.nibble.recipes.schema;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Kinds of things on the Hugging Face Hub that other tools download by their id. */
enum Hub {
  MODEL("model", "", ""),
  DATASET("dataset", "datasets/", "--repo-type dataset ");

  private final String word;
  private final String folder;
  private final String option;

  Hub(String word, String folder, String option) {
    this.word = word;
    this.folder = folder;
    this.option = option;
  }

  /**
   * How to download what an id names; empty when the text is no id: it has the form of one, and
   * neither the path nor its parent exists here.
   */
  Optional<String> download(String text, Path path) {
    Path parent = path.getParent();
    if (!text.matches("[A-Za-z0-9][\\w.-]*/[A-Za-z0-9][\\w.-]*")
        || text.matches(".*\\.(jsonl?|csv|tsv|parquet|arrow|txt|gz|zst|ya?ml)")
        || Files.exists(path)
        || (parent != null && Files.exists(parent))) {
      return Optional.empty();
    }
    String name = text.substring(text.indexOf('/') + 1);
    return Optional.of(
        """
        there is no %s. If %s is a %s of the Hugging Face Hub, download it and give the path of its folder, since Nibble \
        never uses the network: git clone https://huggingface.co/%s%s (with git-lfs), or hf download %s%s --local-dir %s\
        """
            .formatted(path, text, word, folder, text, option, text, name));
  }
}
