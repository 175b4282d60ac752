package dev.nibble.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.api.compare.ComparedFormat;
import dev.nibble.api.compare.ComparisonRequest;
import dev.nibble.api.compare.FormatComparison;
import dev.nibble.api.estimate.Estimate;
import dev.nibble.api.event.Event;
import dev.nibble.api.export.ExportFormat;
import dev.nibble.api.plan.PlanBudget;
import dev.nibble.api.plan.PlanRequest;
import dev.nibble.api.plan.PlanResult;
import dev.nibble.quant.named.UnknownFormat;
import dev.nibble.quant.plan.UnplannableFormat;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.RecipeException;
import dev.nibble.recipes.recipe.Recipes;
import dev.nibble.trainer.export.ExportException;
import dev.nibble.trainer.plan.PlanException;
import dev.nibble.trainer.run.RunException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Plans of a tiny model: in the budget, better than one format for all, and used by a run. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FormatPlanTest {
  private static final int WEIGHTS = 2 * (2 * 64 * 64 + 2 * 32 * 64 + 3 * 128 * 64);

  private final List<Event> events = new ArrayList<>();
  private final Nibble nibble = Nibble.reportingTo(events::add);
  private Path folder = Path.of("");

  @BeforeAll
  void pretrain(@TempDir Path temp) throws IOException {
    folder = temp;
    TinyRun.in(folder);
    nibble.tuner(recipe("pretrain.yaml", "max_steps=60")).train();
  }

  private Recipe recipe(String name, String... sets) {
    return Recipes.read(folder.resolve(name), List.of(sets));
  }

  private PlanResult plan(PlanBudget budget, String file, String... formats) {
    return nibble.plan(
        new PlanRequest(
            recipe("qlora.yaml"),
            formats.length == 0 ? PlanRequest.DEFAULT_FORMATS : List.of(formats),
            budget,
            400,
            folder.resolve(file),
            false));
  }

  @Test
  void fitsTheBudgetAndBeatsOneFormatForAll() throws IOException {
    double before = Double.POSITIVE_INFINITY;
    for (double bits : new double[] {2.6, 3.127, 3.5, 4.25, 6}) {
      PlanResult plan = plan(new PlanBudget.Bits(bits), "plan-" + bits + ".json");
      assertThat(plan.weights()).isEqualTo(WEIGHTS);
      assertThat(plan.bits()).isLessThanOrEqualTo(bits);
      assertThat(plan.matrices()).hasSize(14);
      assertThat(plan.matrices().stream().mapToLong(PlanResult.PlannedMatrix::bytes).sum())
          .isEqualTo(plan.bytes());
      assertThat(plan.uniform()).hasSameSizeAs(PlanRequest.DEFAULT_FORMATS);
      plan.uniform().stream()
          .filter(u -> u.bytes() <= plan.budgetBytes())
          .forEach(u -> assertThat(plan.divergence()).isLessThanOrEqualTo(u.divergence()));
      assertThat(plan.divergence()).isLessThanOrEqualTo(before);
      before = plan.divergence();
    }
    Path file = folder.resolve("plan-3.5.json");
    String once = Files.readString(file);
    Files.delete(file);
    PlanResult again = plan(new PlanBudget.Bytes(WEIGHTS * 7 / 16), "plan-3.5.json");
    assertThat(again.file()).isEqualTo(file);
    assertThat(file).content().isEqualTo(once);
  }

  @Test
  void isComparedLikeAFormat() {
    String file = folder.resolve("compared.json").toString();
    PlanResult plan = plan(new PlanBudget.Bits(3.127), "compared.json");
    FormatComparison all =
        nibble.compare(ComparisonRequest.of(recipe("qlora.yaml"), List.of("nf3", file), false));
    assertThat(all.isComplete()).isTrue();
    ComparedFormat planned = all.formats().getLast();
    assertThat(planned.format()).isEqualTo(file);
    assertThat(planned.base().orElseThrow().bytes()).isEqualTo(plan.bytes());
    assertThat(planned.description()).contains(" formats by plan, 3.1");
    assertThat(planned.base().orElseThrow().outputError().orElseThrow())
        .isLessThan(all.formats().get(1).base().orElseThrow().outputError().orElseThrow());
    assertThatThrownBy(() ->
            nibble.compare(
                ComparisonRequest.of(recipe("qlora.yaml"), List.of("nf3", "missing.json"), false)))
        .isInstanceOf(PlanException.class)
        .hasMessageStartingWith("missing.json cannot be read: ");
  }

  /** The estimate, the run and its export take the base by the plan, and know when it changes. */
  @Test
  void aRunTrainsOnIt() throws IOException {
    Path file = folder.resolve("trained.json");
    plan(new PlanBudget.Bits(3.5), "trained.json");
    String[] sets = {
      "quantization_plan=" + file,
      "max_steps=4",
      "gradient_checkpointing=false",
      "save_steps=2",
      "output_dir=" + folder.resolve("on-plan")
    };
    Recipe recipe = recipe("qlora.yaml", sets);
    Estimate estimate = nibble.estimate(recipe);
    events.clear();
    nibble.tuner(recipe).train();
    Event.RunPrepared prepared =
        events.stream()
            .filter(Event.RunPrepared.class::isInstance)
            .map(Event.RunPrepared.class::cast)
            .findFirst()
            .orElseThrow();
    assertThat(estimate.plan().groups().get("weights"))
        .isPositive()
        .isEqualTo(prepared.bytesByGroup().get("weights"));
    assertThat(folder.resolve("on-plan/recipe.resolved.yaml"))
        .content()
        .contains("quantization_plan: " + file);
    assertThat(Recipes.read(folder.resolve("on-plan/recipe.resolved.yaml"), List.of()).model())
        .isEqualTo(recipe.model());
    assertThat(folder.resolve("on-plan/provenance.json"))
        .content()
        .contains("\"quantization_plan\"", "\"trained.json\"");
    nibble
        .exporter(ModelSource.tuned(folder.resolve("on-plan")))
        .write(ExportFormat.Merged.standard(), folder.resolve("merged"));
    assertThat(folder.resolve("merged/config.json")).isRegularFile();

    Files.writeString(file, Files.readString(file).replace("\"bits\" : 3", "\"bits\" : 2"));
    assertThatThrownBy(() -> nibble.open(ModelSource.tuned(folder.resolve("on-plan"))))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("quantization_plan: %s has changed", file);
  }

  @Test
  void refusesWhatCannotBePlannedAndWritesNothing() {
    PlanBudget.Bits bits = new PlanBudget.Bits(3.5);
    assertThatThrownBy(() -> plan(new PlanBudget.Bits(2), "none.json"))
        .isInstanceOf(RecipeException.class)
        .hasMessageMatching(
            "a budget of 2.000 bits a weight \\(18,432 bytes\\) is too small: the smallest of these formats take 23,040 bytes, 2.500 bits a weight. .*");
    assertThatThrownBy(() -> plan(bits, "none.json", "nf4", "nf5"))
        .isInstanceOf(UnknownFormat.class);
    assertThatThrownBy(() -> plan(bits, "none.json", "nf4", "gptq-3"))
        .isInstanceOf(UnplannableFormat.class);
    assertThatThrownBy(() -> plan(bits, "none.json", "int8-g128"))
        .isInstanceOf(RecipeException.class)
        .hasMessageContaining("none of the formats int8-g128 can hold tensor 'model.layers.0.");
    assertThat(folder.resolve("none.json")).doesNotExist();
    plan(bits, "twice.json", "nf3-64", "int8-g128");
    assertThat(events)
        .anySatisfy(e ->
            assertThat(e)
                .asString()
                .contains("int8-g128 cannot hold 12 of 14 matrices: tensor 'model.layers.0."));
    assertThatThrownBy(() -> plan(bits, "twice.json"))
        .isInstanceOf(ExportException.class)
        .hasMessageContaining("twice.json holds a plan already");
    Path rows = folder.resolve("rows.jsonl");
    assertThatThrownBy(() -> plan(bits, "rows.jsonl"))
        .isInstanceOf(PlanException.class)
        .hasMessageStartingWith(rows + " is no plan of weight formats");
    assertThatThrownBy(() -> plan(bits, "base"))
        .isInstanceOf(ExportException.class)
        .hasMessageEndingWith("base is a folder; name a file to write");
  }

  @Test
  void aRecipeRefusesAPlanForAnotherModel() throws IOException {
    plan(new PlanBudget.Bits(4.5), "other.json", "nf4");
    Path file = folder.resolve("other.json");
    Files.writeString(file, Files.readString(file).replace("layers.1.mlp", "layers.7.mlp"));
    assertThatThrownBy(() -> recipe("qlora.yaml", "adapter=lora", "quantization_plan=" + file))
        .isInstanceOf(RecipeException.class)
        .hasMessageContaining("quantization_plan: " + file + " is a plan for another model than ");
  }
}
