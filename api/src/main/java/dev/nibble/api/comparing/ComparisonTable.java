package dev.nibble.api.comparing;

import dev.nibble.api.compare.ComparedFormat;
import dev.nibble.api.compare.FormatFigures;
import dev.nibble.api.compare.TrainedFigures;
import dev.nibble.api.text.Human;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A comparison as a table of texts. */
public final class ComparisonTable {
  /** What a cell has where nothing was measured. */
  private static final String NOTHING = "-";

  /** What the columns mean, a sentence each. */
  public static final List<String> LEGEND =
      List.of(
          "weights: error of the quantised matrices, ||W - What|| / ||W||",
          "outputs: mean KL divergence, in nats, of the next token's distribution from that of full",
          "perplexity: exp of the mean loss over the validation rows");

  private final List<Column> columns;

  private record Column(String head, Function<ComparedFormat, String> cell) {}

  private ComparisonTable(List<Column> columns) {
    this.columns = columns;
  }

  /** The columns that a terminal of 80 cells has room for. */
  public static ComparisonTable narrow(boolean trained) {
    List<Column> columns = new ArrayList<>(first());
    columns.add(base("size", f -> Human.exactBytes(f.bytes())));
    columns.addAll(errors());
    columns.addAll(trained ? afterTraining() : List.of());
    columns.add(quantising());
    columns.addAll(trained ? List.of() : List.of(speed()));
    return new ComparisonTable(columns);
  }

  /** All columns. */
  static ComparisonTable wide(boolean trained) {
    List<Column> columns = new ArrayList<>(first());
    columns.add(base("quantised matrices", f -> Human.exactBytes(f.bytes())));
    columns.add(base("whole model", f -> Human.exactBytes(f.modelBytes())));
    columns.addAll(errors());
    columns.add(quantising());
    columns.add(speed());
    columns.addAll(trained ? afterTraining() : List.of());
    return new ComparisonTable(columns);
  }

  private static List<Column> first() {
    return List.of(
        new Column("format", ComparedFormat::format), base("bits", f -> number("%.3f", f.bits())));
  }

  private static List<Column> errors() {
    return List.of(
        base("weights", f -> error(f.weightError())),
        base(
            "outputs",
            f -> f.outputError().isPresent() ? error(f.outputError().getAsDouble()) : NOTHING),
        base("perplexity", f -> perplexity(f.perplexity())));
  }

  private static Column quantising() {
    return base("quantise", f -> number(f.seconds() < 10 ? "%.2f s" : "%,.0f s", f.seconds()));
  }

  private static Column speed() {
    return base(
        "tokens/s",
        f ->
            f.tokensPerSecond().isPresent()
                ? number("%,.0f", f.tokensPerSecond().getAsDouble())
                : NOTHING);
  }

  private static List<Column> afterTraining() {
    return List.of(
        trained("trained", f -> perplexity(f.perplexity())),
        trained("in", f -> Human.duration(f.seconds())));
  }

  private static Column base(String head, Function<FormatFigures, String> cell) {
    return new Column(head, row -> row.base().map(cell).orElse(NOTHING));
  }

  private static Column trained(String head, Function<TrainedFigures, String> cell) {
    return new Column(head, row -> row.trained().map(cell).orElse(NOTHING));
  }

  private static String error(double value) {
    return number(value >= 1000 ? "%.1e" : value >= 1 ? "%.2f" : "%.4f", value);
  }

  static String perplexity(double value) {
    return number(value >= 1e6 ? "%.2e" : value >= 1000 ? "%,.0f" : "%.4f", value);
  }

  private static String number(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }

  /** The heads of the columns. */
  public List<String> heads() {
    return columns.stream().map(Column::head).toList();
  }

  /** A format's cells. */
  public List<String> cells(ComparedFormat row) {
    return columns.stream().map(c -> c.cell().apply(row)).toList();
  }

  /** In Markdown; formats that failed have their reasons below. */
  String markdown(List<ComparedFormat> rows) {
    StringBuilder text = new StringBuilder();
    line(text, heads().stream());
    line(text, Stream.concat(Stream.of("---"), heads().stream().skip(1).map(h -> "--:")));
    rows.forEach(row -> line(text, cells(row).stream().map(ComparisonTable::escaped)));
    for (ComparedFormat row : rows) {
      row.failure()
          .ifPresent(reason ->
              text.append("%n`%s` failed: %s%n".formatted(row.format(), escaped(reason))));
    }
    return text.toString();
  }

  private static void line(StringBuilder text, Stream<String> cells) {
    text.append(cells.collect(Collectors.joining(" | ", "| ", " |"))).append('\n');
  }

  /** On one line, without what Markdown would take for marks of its own. */
  static String escaped(String text) {
    return text.replaceAll("\\s+", " ").replaceAll("([\\\\`*_<>|\\[\\]])", "\\\\$1");
  }
}
