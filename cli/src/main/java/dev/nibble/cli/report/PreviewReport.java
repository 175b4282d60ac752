package dev.nibble.cli.report;

import dev.nibble.api.PreviewedRow;
import dev.nibble.api.text.Human;
import dev.nibble.api.text.Paths;
import dev.nibble.cli.terminal.Console;
import dev.nibble.cli.terminal.StyledText;
import java.util.List;
import java.util.function.Consumer;

/** Previewed rows as text. */
public final class PreviewReport implements Consumer<PreviewedRow> {
  private final Console console;
  private final boolean tokens;

  /**
   * A report.
   *
   * @param tokens whether each token stands on a line of its own, with its id and whether it is
   *     trained on
   */
  public PreviewReport(Console console, boolean tokens) {
    this.console = console;
    this.tokens = tokens;
  }

  @Override
  public void accept(PreviewedRow row) {
    switch (row) {
      case PreviewedRow.Sample s -> {
        title(
            row,
            "%s tokens, %s of them trained on"
                .formatted(Human.count(s.tokens().size()), Human.count(s.supervisedTokens())));
        if (tokens) {
          table(s.tokens());
        } else {
          console.lines(marked(s.text()));
        }
        console.line("");
      }
      case PreviewedRow.TooLong t ->
          title(
              row,
              "left out, %s tokens are more than sequence_len".formatted(Human.count(t.tokens())));
      case PreviewedRow.Unsupervised u -> title(row, "left out, no token would be trained on");
      case PreviewedRow.Bad bad -> {
        title(row, "left out, it cannot be used");
        console.line(bad.problem());
        console.line("");
      }
    }
  }

  private void title(PreviewedRow row, String text) {
    console.line(
        new StyledText()
            .faint("── %s, row %d: %s".formatted(Paths.shown(row.dataset()), row.number(), text)));
  }

  private void table(List<PreviewedRow.Token> all) {
    for (int i = 0; i < all.size(); i++) {
      PreviewedRow.Token token = all.get(i);
      String line =
          "%6d %8d  %s  '%s'"
              .formatted(i, token.id(), token.supervised() ? "trained" : "       ", token.text());
      console.line(
          token.supervised() ? new StyledText().green(line) : new StyledText().plain(line));
    }
  }

  /** The text, with what is trained on in a colour or in brackets. */
  private StyledText marked(List<PreviewedRow.Part> parts) {
    StyledText marked = new StyledText();
    for (PreviewedRow.Part part : parts) {
      if (!part.supervised()) {
        marked.plain(part.text());
      } else if (console.hasColours()) {
        marked.boldGreen(part.text());
      } else {
        marked.plain("[[" + part.text() + "]]");
      }
    }
    return marked;
  }
}
