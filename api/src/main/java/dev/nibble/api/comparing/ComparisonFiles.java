package dev.nibble.api.comparing;

import dev.nibble.api.compare.ComparedFormat;
import dev.nibble.api.compare.ComparisonRequest;
import dev.nibble.api.text.Human;
import dev.nibble.compute.files.AtomicFile;
import dev.nibble.data.samples.DataReport;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.trainer.run.RunException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/** The files of a comparison: table, picture, and a line of JSON for each format. */
final class ComparisonFiles {
  private final ComparisonRequest request;

  ComparisonFiles(ComparisonRequest request) {
    this.request = request;
  }

  Path table() {
    return request.output().resolve("compare.md");
  }

  Path picture() {
    return request.output().resolve("compare.svg");
  }

  private Path lines() {
    return request.output().resolve("compare.jsonl");
  }

  /** Makes the folder, before anything takes long. */
  void create() {
    try {
      Files.createDirectories(request.output());
    } catch (IOException e) {
      throw RunException.unwritable(e);
    }
  }

  /** Writes what is known so far. */
  void write(List<ComparedFormat> rows, DataReport held) {
    try {
      AtomicFile.write(
          lines(), rows.stream().map(r -> r.json() + "\n").collect(Collectors.joining()));
      AtomicFile.write(table(), markdown(rows, held));
      AtomicFile.write(picture(), ComparisonPlot.svg(rows, title(), subtitle()));
    } catch (IOException e) {
      throw RunException.unwritable(e);
    }
  }

  private String markdown(List<ComparedFormat> rows, DataReport held) {
    return """
    # %s

    %s; measured on %s.

    %s
    %s
    """
        .formatted(
            ComparisonTable.escaped(title()),
            ComparisonTable.escaped(subtitle()),
            Human.counted(held.supervisedTokens(), "token")
                + " of "
                + Human.counted(held.kept(), "held-out row"),
            ComparisonTable.wide(request.train()).markdown(rows),
            ComparisonTable.LEGEND.stream().map(l -> "- " + l).collect(Collectors.joining("\n")));
  }

  private static String title() {
    return "Weight formats compared";
  }

  /** The base model by the end of its path, and what is trained on it. */
  private String subtitle() {
    Recipe.Model model = request.recipe().model();
    int names = model.base().getNameCount();
    String base = model.base().subpath(Math.max(0, names - 2), names).toString();
    return request.train()
        ? model
            .adapterSource()
            .flatMap(Recipe.AdapterSource::described)
            .map(spec -> base + " · " + spec.describe())
            .orElse(base + " · adapter")
        : base;
  }
}
