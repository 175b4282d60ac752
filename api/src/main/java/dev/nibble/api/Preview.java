package dev.nibble.api;

import dev.nibble.api.event.Event;
import dev.nibble.api.wiring.Formats;
import dev.nibble.api.wiring.RunData;
import dev.nibble.api.wiring.Wiring;
import dev.nibble.data.Sample;
import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.Row;
import dev.nibble.data.rows.RowCursor;
import dev.nibble.data.samples.SampleMaker;
import dev.nibble.data.samples.SampleOutcome;
import dev.nibble.data.tokenizer.Tokenizer;
import dev.nibble.recipes.recipe.Recipe;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/** A recipe's training data as the model sees it. No weight is loaded. */
public final class Preview {
  private final Recipe recipe;
  private final Consumer<Event> listener;

  Preview(Recipe recipe, Consumer<Event> listener) {
    this.recipe = recipe;
    this.listener = listener;
  }

  /**
   * Passes on the first rows of each dataset, then tells of the chat template and of all rows as
   * events. A row that cannot be used is passed on too, where the recipe lets a run leave out such
   * rows.
   *
   * @param count rows of each dataset
   * @throws InvalidDataset when there are more such rows than a run may leave out
   */
  public void read(int count, Consumer<PreviewedRow> rows) {
    Wiring wiring = new Wiring(recipe);
    try (Tokenizer tokenizer = wiring.tokenizer()) {
      for (Recipe.Dataset dataset : recipe.data().train()) {
        read(dataset, count, wiring.formats(), tokenizer, rows);
      }
      wiring.formats().report(tokenizer).ifPresent(listener);
      listener.accept(wiring.data(tokenizer, listener).report());
    }
  }

  private void read(
      Recipe.Dataset dataset,
      int count,
      Formats formats,
      Tokenizer tokenizer,
      Consumer<PreviewedRow> rows) {
    Path path = dataset.path();
    SampleMaker maker = formats.samples(dataset, tokenizer);
    try (RowCursor cursor = RunData.rows(dataset, formats).open()) {
      for (int i = 0; i < count && cursor.advance(); i++) {
        rows.accept(previewed(path, cursor.row(), maker, tokenizer));
      }
    }
  }

  private PreviewedRow previewed(Path path, Row row, SampleMaker maker, Tokenizer tokenizer) {
    SampleOutcome outcome;
    try {
      outcome = maker.make(row);
    } catch (InvalidDataset e) {
      if (recipe.data().maxBadRows() == 0) {
        throw e;
      }
      return new PreviewedRow.Bad(path, row.number(), e.problem());
    }
    return switch (outcome) {
      case SampleOutcome.Kept kept ->
          new PreviewedRow.Sample(
              path, row.number(), tokens(kept.sample(), tokenizer), text(kept.sample(), tokenizer));
      case SampleOutcome.TooLong tooLong ->
          new PreviewedRow.TooLong(path, row.number(), tooLong.tokens());
      case SampleOutcome.Unsupervised u -> new PreviewedRow.Unsupervised(path, row.number());
    };
  }

  private static List<PreviewedRow.Token> tokens(Sample sample, Tokenizer tokenizer) {
    List<PreviewedRow.Token> tokens = new ArrayList<>();
    for (int i = 0; i < sample.length(); i++) {
      int id = sample.tokens()[i];
      tokens.add(
          new PreviewedRow.Token(
              id, tokenizer.decode(new int[] {id}, false), i > 0 && sample.supervised()[i]));
    }
    return List.copyOf(tokens);
  }

  /**
   * Each part is what it adds to the text before it, since some tokenizers decode a part alone
   * differently. A character whose tokens are in two parts is shown with the second.
   */
  private static List<PreviewedRow.Part> text(Sample sample, Tokenizer tokenizer) {
    List<PreviewedRow.Part> parts = new ArrayList<>();
    String before = "";
    for (int from = 0, to; from < sample.length(); from = to) {
      to = from + 1;
      while (to < sample.length() && sample.supervised()[to] == sample.supervised()[from]) {
        to++;
      }
      String text = tokenizer.decode(Arrays.copyOf(sample.tokens(), to), false);
      parts.add(
          new PreviewedRow.Part(
              text.substring(sharedLength(before, text)), sample.supervised()[from]));
      before = text;
    }
    return List.copyOf(parts);
  }

  /** Length of what two texts begin with alike, in whole characters. */
  private static int sharedLength(String a, String b) {
    int mismatch = Arrays.mismatch(a.toCharArray(), b.toCharArray());
    int shared = mismatch < 0 ? a.length() : mismatch;
    return shared > 0 && Character.isHighSurrogate(b.charAt(shared - 1)) ? shared - 1 : shared;
  }
}
