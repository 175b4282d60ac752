package dev.nibble.cli.report;

import dev.nibble.api.event.Event;
import dev.nibble.api.plan.PlanResult;
import dev.nibble.api.plan.PlanResult.PlannedMatrix;
import dev.nibble.api.plan.PlanResult.UniformFormat;
import dev.nibble.api.text.Human;
import dev.nibble.api.text.Paths;
import dev.nibble.cli.terminal.Console;
import dev.nibble.cli.terminal.Table;
import dev.nibble.recipes.recipe.Recipe;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A plan of weight formats as text: the map, by layer and kind of linear map, and its figures. */
public final class PlanReport implements Consumer<Event> {
  /** Number of the layer, and last name of the module. */
  private static final Pattern WEIGHT = Pattern.compile(".*\\.(\\d+)\\..*?([^.]+)\\.weight");

  private final String arguments;
  private final Console console;
  private final StartReport start;

  /**
   * A report.
   *
   * @param arguments the recipe and what is set in it, as one would write them in a shell
   */
  public PlanReport(Recipe recipe, String arguments, Console console) {
    this.arguments = arguments;
    this.console = console;
    this.start = new StartReport(recipe, console);
  }

  @Override
  public void accept(Event event) {
    switch (event) {
      case Event.KernelsOpened e -> start.kernels(e);
      case Event.DataRead e -> start.data(e);
      case Event.ModelFound e ->
          console.entry(
              "model",
              "%s, %s".formatted(Paths.shown(e.folder()), Human.counted(e.weights(), "weight")));
      default -> Activities.show(event, console);
    }
  }

  /** Shows the plan, what it costs beside one format for all, and what to do with it. */
  public void finished(PlanResult plan) {
    Table.ofWords(map(plan.matrices())).write(console);
    console.line("");
    Table.ofWords(figures(plan)).write(console);
    console.sentence(
        "  divergence: of the next token's distribution from the whole model's, in nats, as predicted from %s tokens: the sum of what each matrix alone would cause"
            .formatted(Human.count(plan.tokens())));
    console.line("Saved " + Paths.shown(plan.file()));
    console.line(
        "Train on it: nibble train %s --set quantization_plan=%s"
            .formatted(arguments, Paths.shown(plan.file())));
  }

  /** A row for neighbouring layers that are planned alike. */
  static List<List<String>> map(List<PlannedMatrix> matrices) {
    SequencedMap<Integer, Map<String, String>> layers = new LinkedHashMap<>();
    SequencedSet<String> kinds = new LinkedHashSet<>();
    for (PlannedMatrix m : matrices) {
      Matcher name = WEIGHT.matcher(m.name());
      if (!name.matches()) {
        throw new IllegalArgumentException(m.name() + " is in no layer");
      }
      kinds.add(name.group(2));
      layers
          .computeIfAbsent(Integer.valueOf(name.group(1)), l -> new LinkedHashMap<>())
          .put(name.group(2), m.format());
    }
    List<List<String>> rows = new ArrayList<>();
    List<String> heads = new ArrayList<>(List.of("layer"));
    kinds.forEach(kind -> heads.add(kind.replaceFirst("_proj$", "")));
    rows.add(heads);
    int first = 0;
    Map<String, String> same = Map.of();
    for (Map.Entry<Integer, Map<String, String>> layer : layers.entrySet()) {
      boolean alike = layer.getValue().equals(same);
      if (alike) {
        rows.removeLast();
      } else {
        first = layer.getKey();
        same = layer.getValue();
      }
      List<String> row = new ArrayList<>();
      row.add(alike ? first + "-" + layer.getKey() : String.valueOf(first));
      kinds.forEach(kind -> row.add(layer.getValue().getOrDefault(kind, "-")));
      rows.add(row);
    }
    return rows;
  }

  private static List<List<String>> figures(PlanResult plan) {
    List<UniformFormat> all = new ArrayList<>(plan.uniform());
    all.add(new UniformFormat("plan", plan.bits(), plan.bytes(), plan.divergence()));
    all.sort(Comparator.comparingLong(UniformFormat::bytes));
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("all in", "bits", "size", "divergence"));
    all.forEach(u ->
        rows.add(
            List.of(
                u.format(),
                String.format(Locale.ROOT, "%.3f", u.bits()),
                Human.exactBytes(u.bytes()),
                String.format(Locale.ROOT, "%.5f", u.divergence()))));
    return rows;
  }
}
