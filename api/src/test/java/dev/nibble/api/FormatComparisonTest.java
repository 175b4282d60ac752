package dev.nibble.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.api.compare.ComparedFormat;
import dev.nibble.api.compare.ComparisonRequest;
import dev.nibble.api.compare.FormatComparison;
import dev.nibble.api.compare.FormatFigures;
import dev.nibble.api.compare.TrainedFigures;
import dev.nibble.api.event.Event;
import dev.nibble.api.export.Quantizer;
import dev.nibble.compute.tensor.DType;
import dev.nibble.quant.bnb.FourBitFormat;
import dev.nibble.quant.bnb.FourBitFormat.QuantType;
import dev.nibble.quant.named.UnknownFormat;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.RecipeException;
import dev.nibble.recipes.recipe.Recipes;
import dev.nibble.trainer.train.Report;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Weight formats compared on a tiny model, whose inputs groups of 128 do not divide. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FormatComparisonTest {
  /** Weights of the linear maps of a layer: query and output, key and value, the feed-forward. */
  private static final List<Integer> MATRICES =
      List.of(64 * 64, 64 * 64, 32 * 64, 32 * 64, 128 * 64, 128 * 64, 128 * 64);

  private final List<Event> events = new ArrayList<>();
  private final Nibble nibble = Nibble.reportingTo(events::add);
  private Path folder = Path.of("");

  @BeforeAll
  void pretrain(@TempDir Path temp) throws IOException {
    folder = temp;
    TinyRun.in(folder);
    nibble.tuner(recipe("pretrain.yaml")).train();
  }

  private Recipe recipe(String name, String... sets) {
    return Recipes.read(folder.resolve(name), List.of(sets));
  }

  private FormatComparison compare(Recipe recipe, boolean train, String... formats) {
    return nibble.compare(ComparisonRequest.of(recipe, List.of(formats), train));
  }

  private static FormatFigures figures(FormatComparison comparison, String format) {
    return comparison.formats().stream()
        .filter(f -> f.format().equals(format))
        .flatMap(f -> f.base().stream())
        .findFirst()
        .orElseThrow();
  }

  private static double outputError(FormatComparison comparison, String format) {
    return figures(comparison, format).outputError().orElseThrow();
  }

  @Test
  void fewerBitsCostMoreAndOneFailureLeavesTheOthers() throws Exception {
    events.clear();
    FormatComparison all =
        compare(
            recipe("qlora.yaml"), false, "NF4", "int8", "hqq-4", "hqq-2", "rtn-2", "nf3", "nf4");

    assertThat(all.formats())
        .extracting(ComparedFormat::format)
        .containsExactly("full", "nf4", "int8", "hqq-4", "hqq-2", "rtn-2", "nf3");
    ComparedFormat failed = all.formats().get(2);
    assertThat(failed.base()).isEmpty();
    assertThat(failed.failure().orElseThrow())
        .contains("has 64 inputs, which groups of 128 do not divide");
    assertThat(all.isComplete()).isFalse();
    assertThat(all.formats().stream().filter(f -> f.failure().isPresent())).hasSize(1);

    FormatFigures full = figures(all, "full");
    assertThat(full.bits()).isEqualTo(32);
    assertThat(full.weightError()).isZero();
    assertThat(full.outputError()).hasValue(0);
    assertThat(full.modelBytes() - full.bytes()).isEqualTo((4096 * 64 + 5 * 64) * 4);
    assertThat(figures(all, "hqq-4").bits()).isEqualTo(4.5);
    assertThat(figures(all, "hqq-2").bits()).isEqualTo(2.5);
    assertThat(figures(all, "nf4").bytes()).isEqualTo(bytes(4)).isEqualTo(2 * 19_036);
    assertThat(figures(all, "nf3").bytes()).isEqualTo(bytes(3));
    assertThat(figures(all, "nf3").bits()).isEqualTo(8.0 * bytes(3) / weights());
    assertThat(figures(all, "hqq-4").weightError())
        .isPositive()
        .isLessThan(figures(all, "nf3").weightError());
    assertThat(figures(all, "hqq-2").weightError())
        .isGreaterThan(figures(all, "nf3").weightError())
        .isLessThan(figures(all, "rtn-2").weightError())
        .isLessThan(1);
    assertThat(outputError(all, "hqq-4"))
        .isPositive()
        .isLessThan(outputError(all, "nf3"))
        .isLessThan(outputError(all, "hqq-2"));
    assertThat(full.tokensPerSecond().orElseThrow()).isPositive();
    assertThat(figures(all, "hqq-2").seconds()).isPositive();

    try (Model model = nibble.open(ModelSource.untrained(recipe("qlora.yaml")))) {
      assertThat(figures(all, "nf4").perplexity())
          .isEqualTo(Math.exp(model.validationLoss().orElseThrow().mean()));
    }
    assertThat(figures(all, "hqq-2").perplexity()).isNotEqualTo(full.perplexity());

    assertThat(events.stream().filter(Event.FormatBegun.class::isInstance)).hasSize(7);
    assertThat(
            events.stream()
                .filter(Event.FormatCompared.class::isInstance)
                .map(e -> ((Event.FormatCompared) e).result()))
        .isEqualTo(all.formats());
    checkFiles(all);
  }

  private static long bytes(int bits) {
    return 2
        * MATRICES.stream()
            .mapToLong(n -> n * bits / 8 + n / 64 + 4 * Math.ceilDiv(n / 64, 256))
            .sum();
  }

  private static long weights() {
    return 2 * MATRICES.stream().mapToLong(n -> n).sum();
  }

  private void checkFiles(FormatComparison all) throws Exception {
    assertThat(all.table()).isEqualTo(folder.resolve("compare-out/compare.md"));
    assertThat(Files.readString(all.table()))
        .contains("| format | bits | quantised matrices | whole model |")
        .contains("| hqq-2 | 2.500 | ")
        .contains("| int8 | - | - |")
        .contains("`int8` failed: tensor 'model.layers.0.");
    Document svg =
        DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(all.picture().toFile());
    assertThat(svg.getElementsByTagName("circle").getLength()).isEqualTo(5 + 1); // one in the key
    assertThat(svg.getDocumentElement().getTextContent())
        .contains("nf4", "hqq-4", "hqq-2", "rtn-2", "nf3", "line: full, ")
        .doesNotContain("int8", "after training");
    List<String> lines = Files.readAllLines(folder.resolve("compare-out/compare.jsonl"));
    assertThat(lines).hasSize(7);
    JsonNode nf3 = JsonMapper.shared().readTree(lines.getLast());
    assertThat(nf3.get("format").asString()).isEqualTo("nf3");
    assertThat(nf3.get("bits").asDouble()).isCloseTo(figures(all, "nf3").bits(), within(1e-5));
    assertThat(nf3.get("bytes").asLong()).isEqualTo(bytes(3));
    for (String key : List.of("weight_error", "output_error", "perplexity", "seconds")) {
      assertThat(nf3.get(key).asDouble()).isPositive();
    }
    assertThat(JsonMapper.shared().readTree(lines.get(2)).get("error").asString())
        .contains("groups of 128");
  }

  /** The numbers are those of a run of the same recipe, to the bit. */
  @Test
  void trainsEachFormatAsARunWould() {
    Recipe recipe = recipe("qlora.yaml", "output_dir=" + folder.resolve("trained"), "max_steps=12");
    FormatComparison all = compare(recipe, true, "nf4", "hqq-2");

    assertThat(all.isComplete()).isTrue();
    for (ComparedFormat format : all.formats()) {
      TrainedFigures trained = format.trained().orElseThrow();
      assertThat(trained.perplexity()).isLessThan(format.base().orElseThrow().perplexity());
      assertThat(trained.seconds()).isPositive();
    }
    events.clear();
    nibble.tuner(recipe).train();
    double last =
        events.stream()
            .filter(Event.LoopReport.class::isInstance)
            .map(e -> ((Event.LoopReport) e).report())
            .filter(Report.EvaluationReport.class::isInstance)
            .mapToDouble(r -> ((Report.EvaluationReport) r).perplexity())
            .reduce((_, later) -> later)
            .orElseThrow();
    assertThat(all.formats().get(1).trained().orElseThrow().perplexity()).isEqualTo(last);
    assertThat(all.table()).content().contains(" trained | in |");
    assertThat(all.picture()).content().contains("after training; line: full, ");
  }

  @Test
  void saysWhatIsMissing() {
    assertThatThrownBy(() -> compare(recipe("qlora.yaml", "val_set_size=0"), false, "nf4"))
        .isInstanceOf(RecipeException.class)
        .hasMessageContaining("add val_set_size or test_datasets");
    assertThatThrownBy(() ->
            compare(
                recipe("pretrain.yaml", "init_weights=checkpoint", "val_set_size=4"), true, "nf4"))
        .isInstanceOf(RecipeException.class)
        .hasMessageContaining("adapter: none trains every weight");
    assertThatThrownBy(() -> compare(recipe("pretrain.yaml", "val_set_size=4"), false, "nf4"))
        .isInstanceOf(RecipeException.class)
        .hasMessageContaining("init_weights: random leaves no weights to compare");
    assertThatThrownBy(() -> compare(recipe("qlora.yaml"), false, "nf4", "hqq4"))
        .isInstanceOf(UnknownFormat.class)
        .hasMessageContaining("unknown weight format 'hqq4'. Did you mean 'hqq-4'?");
  }

  /** Weights fitted to data are further from the base's, and its outputs are nearer. */
  @Test
  void comparesFormatsFittedToData() throws IOException {
    Recipe recipe = recipe("qlora.yaml", "output_dir=" + folder.resolve("fitted"));
    FormatComparison all = compare(recipe, true, "rtn-2-g16", "gptq-2-g16", "gptq-4-g7");
    assertThat(figures(all, "gptq-2-g16").bits()).isEqualTo(2 + 24 / 16.0);
    assertThat(figures(all, "gptq-2-g16").weightError())
        .isGreaterThan(0.9 * figures(all, "rtn-2-g16").weightError());
    assertThat(outputError(all, "gptq-2-g16")).isLessThan(outputError(all, "rtn-2-g16"));
    assertThat(all.formats().get(2).trained().orElseThrow().perplexity())
        .isLessThan(figures(all, "gptq-2-g16").perplexity());
    ComparedFormat failed = all.formats().get(3);
    assertThat(failed.failure().orElseThrow()).contains("which groups of 7 do not divide");
    assertThat(failed.base()).isEmpty();
    try (var files = Files.list(all.table().toAbsolutePath().getParent())) {
      assertThat(files.map(f -> f.getFileName().toString()))
          .containsExactlyInAnyOrder("compare.md", "compare.svg", "compare.jsonl");
    }
  }

  @Test
  void aQuantisedBaseCannotBeCompared() {
    Path quantised = folder.resolve("four-bit");
    nibble.quantize(
        new Quantizer.Request(
            folder.resolve("model"),
            quantised,
            true,
            new FourBitFormat(QuantType.NF4, 64, true),
            Optional.empty(),
            DType.BF16,
            List.of(),
            1 << 30,
            1));
    assertThatThrownBy(
            () -> compare(recipe("qlora.yaml", "base_model=" + quantised), false, "hqq-2"))
        .isInstanceOf(RecipeException.class)
        .hasMessageContaining("is in NF4, blocks of 64, double quantisation already");
  }
}
