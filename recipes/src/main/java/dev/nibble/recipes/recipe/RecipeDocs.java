package dev.nibble.recipes.recipe;

import dev.nibble.recipes.schema.Key;
import java.util.List;

/** The page {@code docs/recipes.md}, generated from the table of keys. */
final class RecipeDocs {
  private RecipeDocs() {}

  private static final String INTRODUCTION =
      """
      # Recipes

      A recipe is one YAML file that says what a run is made of: the model, the data, and how to train. The names are
      those that axolotl and transformers use, where they have one.

      Recipes are checked strictly. An unknown key, a wrong type, a value out of range and keys that contradict each other
      are errors, reported all at once with file, line and column. A key without a value counts as left out.

      - **Paths** in a recipe start at the recipe's folder; `output_dir`, and any path given with `--set`, at the
        working directory. `~/` is the home folder.
      - **Numbers** are written without quotes: `1e-4`, not `"1e-4"`.
      - **`--set key=value`** overrides a key from the command line. Nested keys have dots and list entries numbers:
        `--set datasets.0.path=more.jsonl`. The value is YAML; an empty one removes the key.
      - **Recipes of other tools:** for a key of axolotl, LLaMA-Factory or transformers that Nibble does not have, the error
        says what to write instead. It is ignored, with a note, if it has no value or asks for what Nibble does anyway, such
        as `strict: false` or `wandb_project:`.
      - Each run writes `recipe.resolved.yaml`, the recipe with every default filled in, into its folder.

      This page is generated from the table that the reader itself uses.
      """;

  static String markdown() {
    StringBuilder s = new StringBuilder(INTRODUCTION);
    RecipeKeys.SCHEMA.groups().forEach(g -> section(s, g.title(), g.keys()));
    section(s, "A dataset", DataKeys.DATASET.keys());
    section(s, "answer_eval", EvaluationKeys.ANSWERS.keys());
    return s.toString();
  }

  private static <R> void section(StringBuilder s, String title, List<Key<R, ?>> keys) {
    s.append("\n## ")
        .append(title)
        .append("\n\n| key | expects | default | meaning |\n|---|---|---|---|\n");
    for (Key<R, ?> key : keys) {
      s.append(
          "| `%s` | %s | %s | %s |\n"
              .formatted(
                  key.name(),
                  cell(key.type().describe()),
                  cell(key.describeDefault()),
                  cell(key.doc())));
    }
  }

  private static String cell(String text) {
    return text.replace("|", "\\|").replace("\n", "\\n");
  }
}
