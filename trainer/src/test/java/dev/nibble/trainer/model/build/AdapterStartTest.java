package dev.nibble.trainer.model.build;

import static dev.nibble.trainer.model.build.Close.assertClose;
import static dev.nibble.trainer.model.build.Close.flatten;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.adapters.AdapterException;
import dev.nibble.adapters.AdapterSpec;
import dev.nibble.adapters.Ia3Spec;
import dev.nibble.adapters.LoraRanks;
import dev.nibble.adapters.LoraSpec;
import dev.nibble.adapters.LoraStart;
import dev.nibble.adapters.ModuleChoice;
import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.adapters.PeftAdapter;
import dev.nibble.adapters.TargetModules;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.data.Batch;
import dev.nibble.quant.bnb.FourBitFormat;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.Training;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What an adapter starts as, and what becomes of a changed base when it is saved. */
@Tag("golden")
final class AdapterStartTest {
  private static final Path BASE = Golden.model("llama");
  private static final String WEIGHTS = "adapter_model.safetensors";
  private static final String SET = ModelFixture.fastestKernelSet().findFirst().orElseThrow();
  private static final LoraSpec SPEC =
      new LoraSpec(
          new LoraRanks(4, 12, false, Map.of("down_proj", 6), Map.of("layers.1.*", 5.0)),
          0,
          TargetModules.allLinear(),
          List.of(),
          false,
          false,
          new LoraStart.Zero());

  static Stream<LoraStart> silent() {
    return Stream.of(
        new LoraStart.Zero(),
        new LoraStart.Gaussian(),
        new LoraStart.Orthogonal(),
        new LoraStart.Pissa(OptionalInt.empty()),
        new LoraStart.Pissa(OptionalInt.of(3)),
        new LoraStart.Olora());
  }

  static Stream<LoraSpec> changing() {
    return Stream.of(
            SPEC,
            SPEC.withDora(),
            SPEC.withRanks(new LoraRanks(4, 8, true, Map.of("up_proj", 2), Map.of("q_proj", 3.0))))
        .flatMap(s -> silent().filter(LoraStart::changesBase).map(s::withStart));
  }

  private static ModelFixture fixture(AdapterSpec spec) {
    return ModelFixture.load(SET, BASE, ModelFixture.options(new Training.Adapter(spec, 3)));
  }

  private static ModelFixture quantized(LoraSpec spec) {
    ModelOptions dense = ModelFixture.options(new Training.Adapter(spec, 3));
    return ModelFixture.load(
        SET,
        BASE,
        new ModelOptions(
            dense.training(),
            Optional.of(new FourBitFormat(FourBitFormat.QuantType.NF4, 64, true)),
            dense.maxBatchTokens(),
            dense.checkpointing()));
  }

  private static Batch batch() {
    try (SafetensorsFile golden = Golden.file(BASE)) {
      return Golden.batch(golden);
    }
  }

  private static float[] logits(ModelFixture f) {
    return flatten(f.model.logits(batch()));
  }

  private static float[] baseLogits() {
    try (SafetensorsFile golden = Golden.file(BASE)) {
      return golden.tensor("logits").toFloats();
    }
  }

  @ParameterizedTest
  @MethodSource("silent")
  void theModelStartsAsItsBase(LoraStart start) {
    try (ModelFixture f = fixture(SPEC.withStart(start))) {
      assertClose(start.written(), logits(f), baseLogits(), 1e-4);
    }
  }

  @Test
  void noiseStartsElsewhere() {
    try (ModelFixture f = fixture(SPEC.withStart(new LoraStart.Noise()))) {
      assertThatThrownBy(() -> assertClose("noise", logits(f), baseLogits(), 1e-2))
          .isInstanceOf(AssertionError.class);
    }
  }

  /** Saved as plain LoRA, on the base as it was; saved as it is, on a base changed again. */
  @ParameterizedTest
  @MethodSource("changing")
  void whatWasLearnedOutlivesTheChangedBase(LoraSpec spec, @TempDir Path folder)
      throws IOException {
    float[] trained;
    try (ModelFixture f = fixture(spec)) {
      Random random = new Random(1);
      for (Parameter p : f.model.parameters().all()) {
        for (int i = 0; i < p.weight().elements(); i++) {
          p.weight().setFloat(i, p.weight().getFloat(i) + 0.03 * random.nextGaussian());
        }
      }
      trained = logits(f);
      PeftAdapter.save(folder.resolve("plain"), spec, "", f.model.parameters(), f.kernels);
      PeftAdapter.saveExact(folder.resolve("exact"), spec, "", f.model.parameters(), f.kernels);
    }
    PeftAdapter plain = PeftAdapter.open(folder.resolve("plain"));
    LoraSpec converted = (LoraSpec) plain.spec();
    assertThat(converted.start()).isEqualTo(new LoraStart.Zero());
    assertThat(converted.ranks().r()).isEqualTo(8);
    PeftAdapter exact = PeftAdapter.open(folder.resolve("exact"));
    assertThat(((LoraSpec) exact.spec()).start()).isEqualTo(spec.start());
    for (PeftAdapter adapter : List.of(plain, exact)) {
      try (ModelFixture f = fixture(adapter.spec())) {
        adapter.copyTo(f.model.parameters(), f.kernels);
        assertClose("logits", logits(f), trained, 1e-4);
        PeftAdapter.save(
            folder.resolve("again"), adapter.spec(), "", f.model.parameters(), f.kernels);
      }
      assertThat(folder.resolve("again").resolve(WEIGHTS)) // the start is found again to the bit
          .hasSameBinaryContentAs(folder.resolve("plain").resolve(WEIGHTS));
    }
  }

  /** How far the logits are from those of the base in full precision. */
  private static double distance(LoraSpec spec) {
    try (ModelFixture f = quantized(spec)) {
      float[] ours = logits(f);
      float[] base = baseLogits();
      double sum = 0;
      for (int i = 0; i < base.length; i++) {
        sum += (ours[i] - base[i]) * (double) (ours[i] - base[i]);
      }
      return Math.sqrt(sum);
    }
  }

  @Test
  void loftqAndPissaMakeUpForWhatQuantisationLoses() {
    LoraSpec wide = SPEC.withRanks(LoraRanks.same(16, 24));
    double lost = distance(wide);
    assertThat(distance(wide.withStart(new LoraStart.Pissa(OptionalInt.empty()))))
        .isLessThan(0.9 * lost);
    assertThat(distance(wide.withStart(new LoraStart.Loftq(1)))).isLessThan(0.9 * lost);
    assertThat(distance(wide.withStart(new LoraStart.Loftq(5)))).isLessThan(0.9 * lost);
  }

  @Test
  void refusesWhatCannotBe() {
    assertThatThrownBy(() -> fixture(SPEC.withStart(new LoraStart.Loftq(1))))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining("needs a base that is put in 4 bits");
    LoraSpec tables =
        SPEC.withRanks(LoraRanks.same(4, 8))
            .withTargets(TargetModules.named(List.of("embed_tokens", "q_proj")));
    assertThatThrownBy(() -> fixture(tables.withStart(new LoraStart.Olora())))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining("olora does not go with an adapter on embeddings");
    assertThatThrownBy(() -> fixture(tables.withDora()))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining("DoRA does not go with an adapter on embeddings");
    LoraSpec tooWide = SPEC.withRanks(LoraRanks.same(65, 8)).withStart(new LoraStart.Olora());
    assertThatThrownBy(() -> fixture(tooWide))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining("rank 65 is more than model.layers.0.self_attn.q_proj.weight");
    assertThatThrownBy(() ->
            ModelFixture.load(
                SET,
                Golden.model("../bnb/checkpoint"),
                ModelFixture.options(
                    new Training.Adapter(SPEC.withStart(new LoraStart.Olora()), 1))))
        .hasMessageContaining("is quantised in the checkpoint");
    assertThatThrownBy(() -> fixture(SPEC.withBias()))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining("cannot be merged into modules that have none");
    TargetModules feedForward = TargetModules.named(List.of("q_proj", "down_proj"));
    Optional<ModuleChoice> queries = Optional.of(new ModuleChoice.Matching(".*gate_proj"));
    assertThatThrownBy(() ->
            ModelFixture.load(
                SET,
                BASE,
                ModelFixture.options(
                    new Training.Adapter(new Ia3Spec(feedForward, queries, List.of()), 1))))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining("feedforward_modules [.*gate_proj] match none of the target modules");
  }
}
