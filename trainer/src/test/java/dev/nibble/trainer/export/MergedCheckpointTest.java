package dev.nibble.trainer.export;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.adapters.AdapterMerge;
import dev.nibble.adapters.PeftAdapter;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.data.Batch;
import dev.nibble.data.Sample;
import dev.nibble.quant.WeightFormat;
import dev.nibble.quant.bnb.FourBitFormat;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.model.build.ModelLoader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A merged checkpoint is the model that was trained. */
final class MergedCheckpointTest {
  private static final FourBitFormat NF4 = new FourBitFormat(FourBitFormat.QuantType.NF4, 64, true);
  private static final Batch BATCH = batch();

  @TempDir private Path folder;
  private final Kernels kernels = KernelSets.require("cpu").open(KernelOptions.exact(2));

  @AfterEach
  void close() {
    kernels.close();
  }

  private static Batch batch() {
    int[] tokens = new int[20];
    for (int i = 0; i < tokens.length; i++) {
      tokens[i] = (7 + 31 * i) % 320;
    }
    return Batch.of(List.of(new Sample(tokens, new boolean[tokens.length])));
  }

  private static Path golden(String model) {
    try {
      return Path.of(
              Objects.requireNonNull(
                      MergedCheckpointTest.class.getResource(
                          "/golden/models/" + model + "/config.json"))
                  .toURI())
          .resolveSibling("");
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private MergedCheckpoint.Result merge(
      Path base,
      Path adapter,
      Optional<WeightFormat> written,
      Optional<WeightFormat> trained,
      DType dtype,
      long shard) {
    try (ShardedSafetensors checkpoint = ShardedSafetensors.open(base);
        AdapterMerge merge = AdapterMerge.open(adapter)) {
      return new MergedCheckpoint(
              new MergedSource(new CheckpointSource(checkpoint, written, kernels), merge, kernels),
              new MergedSource(new CheckpointSource(checkpoint, trained, kernels), merge, kernels),
              kernels,
              dtype)
          .write(base, folder, shard, (done, total) -> assertThat(done).isBetween(1L, total));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private LogitAgreement compare(Path base, Path adapter, Optional<WeightFormat> format) {
    try (Scope one = Scope.open("trained", kernels.memory());
        Scope other = Scope.open("merged", kernels.memory());
        ShardedSafetensors merged = ShardedSafetensors.open(folder)) {
      PeftAdapter peft = PeftAdapter.open(adapter);
      CausalLm trained =
          ModelLoader.load(
              base,
              new ModelOptions(
                  new Training.Adapter(peft.spec(), 0), format, 32, Checkpointing.FULL),
              kernels,
              one);
      peft.copyTo(trained.parameters(), kernels);
      CausalLm view = ModelLoader.view(folder, merged, 32, kernels, other);
      LogitAgreement.Sum sum = new LogitAgreement.Sum();
      float[][] expected = trained.logits(BATCH);
      float[][] given = view.logits(BATCH);
      for (int i = 0; i < expected.length; i++) {
        sum.add(expected[i], given[i]);
      }
      return sum.result();
    }
  }

  @ParameterizedTest
  @CsvSource({"llama, lora", "llama, pattern", "llama3, lora"})
  void ontoTheWeightsInFourBits(String model, String variant) {
    Path base = golden(model);
    Path adapter = base.resolve(variant);
    MergedCheckpoint.Result result =
        merge(base, adapter, Optional.of(NF4), Optional.of(NF4), DType.F32, 200_000);
    assertThat(result.files()).isGreaterThan(1);
    assertThat(result.lost()).isNotEmpty().allMatch(l -> l.share() == 0);
    LogitAgreement agreement = compare(base, adapter, Optional.of(NF4));
    assertThat(agreement.divergence()).isLessThan(1e-9);
    assertThat(agreement.sameTop()).isEqualTo(1);
  }

  /** The base is bitsandbytes' own; the adapter is another model's of the same shape. */
  @Test
  void ontoABaseThatIsInFourBitsAlready() throws IOException {
    Path base = golden("llama").resolve("../../bnb/checkpoint").normalize();
    Path adapter = golden("llama").resolve("lora");
    merge(base, adapter, Optional.of(NF4), Optional.of(NF4), DType.F32, 1L << 30);
    JsonNode config = JsonMapper.shared().readTree(Files.readString(folder.resolve("config.json")));
    assertThat(config.has("quantization_config")).isFalse();
    assertThat(compare(base, adapter, Optional.of(NF4)).divergence()).isLessThan(1e-9);
  }

  @Test
  void roundingShows() {
    Path base = golden("llama");
    Path adapter = base.resolve("lora");
    Optional<WeightFormat> format = Optional.of(NF4);
    MergedCheckpoint.Result half = merge(base, adapter, format, format, DType.BF16, 1L << 30);
    assertThat(half.files()).isEqualTo(1);
    assertThat(half.lost()).allSatisfy(l -> assertThat(l.share()).isBetween(1e-5, 0.5));
    LogitAgreement rounded = compare(base, adapter, format);
    assertThat(rounded.divergence()).isBetween(1e-10, 1e-3);
  }

  @Test
  void theOriginalWeightsAreAnotherModel() {
    Path base = golden("llama");
    Path adapter = base.resolve("lora");
    MergedCheckpoint.Result result =
        merge(base, adapter, Optional.empty(), Optional.of(NF4), DType.F32, 1L << 30);
    ToDoubleFunction<LostUpdate> share = LostUpdate::share;
    assertThat(result.worst().map(share::applyAsDouble).orElseThrow()).isGreaterThan(0.01);
    double toTrained = compare(base, adapter, Optional.of(NF4)).divergence();
    double toOriginal = compare(base, adapter, Optional.empty()).divergence();
    assertThat(toOriginal).isLessThan(1e-9);
    assertThat(toTrained).isGreaterThan(1e-6);
  }

  @Test
  void configSaysWhatWasWritten() throws IOException {
    Path base = Files.createDirectories(folder.resolve("base"));
    Path model = golden("llama3");
    Files.copy(model.resolve("model.safetensors"), base.resolve("model.safetensors"));
    Files.writeString(
        base.resolve("config.json"),
        Files.readString(model.resolve("config.json"))
            .replaceFirst("\\{", "{\"quantization_config\": {\"quant_method\": \"x\"},"));
    Files.writeString(base.resolve("chat_template.jinja"), "{{ messages }}");
    Files.writeString(base.resolve("notes.txt"), "mine");
    merge(base, model.resolve("lora"), Optional.empty(), Optional.empty(), DType.F16, 1L << 30);
    JsonNode config = JsonMapper.shared().readTree(Files.readString(folder.resolve("config.json")));
    assertThat(config.path("dtype").asString()).isEqualTo("float16");
    assertThat(config.has("quantization_config")).isFalse();
    assertThat(config.path("tie_word_embeddings").asBoolean()).isTrue();
    assertThat(folder.resolve("chat_template.jinja")).hasContent("{{ messages }}");
    List<String> names = new ArrayList<>();
    try (ShardedSafetensors merged = ShardedSafetensors.open(folder)) {
      names.addAll(merged.names());
    }
    assertThat(names).doesNotContain("lm_head.weight");
    assertThat(folder.resolve("notes.txt")).doesNotExist();
  }
}
