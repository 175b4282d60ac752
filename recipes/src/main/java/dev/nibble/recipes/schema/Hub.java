package dev.nibble.recipes.schema;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Kinds of things on the Hugging Face Hub that other tools download by their id. */
enum Hub {
  MODEL("model", ""),
  DATASET("dataset", "--repo-type dataset ");

  private final String word;
  private final String option;

  Hub(String word, String option) {
    this.word = word;
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
        never uses the network: hf download %s%s --local-dir %s, or git clone (with git-lfs) of its page\
        """
            .formatted(path, text, word, option, text, name));
  }
}
