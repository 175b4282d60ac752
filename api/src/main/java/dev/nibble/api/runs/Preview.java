package dev.nibble.api.runs;

import dev.nibble.api.text.Human;
import dev.nibble.api.text.Paths;
import dev.nibble.data.Sample;
import dev.nibble.data.rows.RowCursor;
import dev.nibble.data.samples.Outcome;
import dev.nibble.data.samples.SampleMaker;
import dev.nibble.data.tokenizer.Tokenizer;
import dev.nibble.recipes.recipe.Recipe;
import java.util.Arrays;

/** {@code nibble preview}. */
public final class Preview {
  private final Recipe recipe;
  private final Output console;

  /** A preview of a recipe's data. */
  public Preview(Recipe recipe, Output console) {
    this.recipe = recipe;
    this.console = console;
  }

  /**
   * Shows the first samples of each dataset, then what becomes of all rows.
   *
   * @param tokens whether each token stands on a line of its own, with its id and whether it is
   *     learned
   */
  public void show(int samples, boolean tokens) {
    Wiring wiring = new Wiring(recipe);
    try (Tokenizer tokenizer = wiring.tokenizer()) {
      for (Recipe.Dataset dataset : recipe.data().train()) {
        show(dataset, samples, tokens, wiring.formats(), tokenizer);
      }
      StartReport report = new StartReport(recipe, console);
      report.chat(wiring.formats(), tokenizer);
      report.data(wiring.data(tokenizer));
    }
  }

  private void show(
      Recipe.Dataset dataset, int samples, boolean tokens, Formats formats, Tokenizer tokenizer) {
    SampleMaker maker = formats.samples(dataset, tokenizer);
    try (RowCursor rows = RunData.rows(dataset).open()) {
      for (int i = 0; i < samples && rows.advance(); i++) {
        String row = Paths.shown(dataset.path()) + ", row " + rows.row().number();
        switch (maker.make(rows.row())) {
          case Outcome.Kept kept -> show(row, kept.sample(), tokens, tokenizer);
          case Outcome.TooLong tooLong ->
              title(
                  row
                      + ": left out, %s tokens are more than sequence_len"
                          .formatted(Human.count(tooLong.tokens())));
          case Outcome.Unsupervised u -> title(row + ": left out, no token would be trained on");
        }
      }
    }
  }

  private void show(String row, Sample sample, boolean tokens, Tokenizer tokenizer) {
    title(
        "%s: %s tokens, %s of them learned"
            .formatted(row, Human.count(sample.length()), Human.count(sample.supervisedTokens())));
    if (tokens) {
      table(sample, tokenizer);
    } else {
      console.line(marked(sample, tokenizer));
    }
    console.line("");
  }

  /** A line for each token. The first is never predicted, so it is not learned. */
  private void table(Sample sample, Tokenizer tokenizer) {
    for (int i = 0; i < sample.length(); i++) {
      boolean learned = i > 0 && sample.supervised()[i];
      String text =
          tokenizer
              .decode(new int[] {sample.tokens()[i]}, false)
              .replace("\n", "\\n")
              .replace("\r", "\\r");
      String line =
          "%6d %8d  %s  '%s'"
              .formatted(i, sample.tokens()[i], learned ? "learned" : "       ", text);
      console.line(learned ? console.green(line) : line);
    }
  }

  private void title(String text) {
    console.line(console.faint("── " + text));
  }

  /**
   * The sample's text, special tokens included, with what is learned marked. Each part is what it
   * adds to the text before it, since some tokenizers decode a part alone differently.
   */
  private String marked(Sample sample, Tokenizer tokenizer) {
    StringBuilder marked = new StringBuilder();
    String before = "";
    for (int from = 0, to; from < sample.length(); from = to) {
      to = from + 1;
      while (to < sample.length() && sample.supervised()[to] == sample.supervised()[from]) {
        to++;
      }
      String text = tokenizer.decode(Arrays.copyOf(sample.tokens(), to), false);
      String part = text.substring(Math.min(before.length(), text.length()));
      marked.append(sample.supervised()[from] ? learned(part) : part);
      before = text;
    }
    return marked.toString();
  }

  private String learned(String text) {
    return console.hasColours() ? console.bold(console.green(text)) : "[[" + text + "]]";
  }
}
