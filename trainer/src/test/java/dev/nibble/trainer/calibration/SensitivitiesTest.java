package dev.nibble.trainer.calibration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Dense;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.data.Batch;
import dev.nibble.data.Sample;
import dev.nibble.quant.FrozenWeights;
import dev.nibble.quant.SecondMoments;
import dev.nibble.quant.WeightFormat;
import dev.nibble.quant.named.FormatNames;
import dev.nibble.trainer.calibration.Sensitivities.Sensitivity;
import dev.nibble.trainer.export.LogitAgreement;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.model.build.ModelLoader;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.SequencedMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Divergences are those of a model with one matrix exchanged, and errors those of outputs. */
final class SensitivitiesTest {
  private static final List<String> FORMATS = List.of("nf4", "nf3", "hqq-2-g16");

  private final Kernels kernels = KernelSets.require("cpu").open(KernelOptions.exact(2));

  @AfterEach
  void close() {
    kernels.close();
  }

  private static Path model() {
    try {
      return Path.of(
          Objects.requireNonNull(SensitivitiesTest.class.getResource("/golden/bnb/base")).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static List<Batch> batches() {
    Random random = new Random(5);
    List<Batch> batches = new ArrayList<>();
    for (int[] lengths : new int[][] {{7, 12}, {20}}) {
      List<Sample> samples = new ArrayList<>();
      for (int length : lengths) {
        samples.add(new Sample(random.ints(length, 0, 64).toArray(), new boolean[length]));
      }
      batches.add(Batch.of(samples));
    }
    return batches;
  }

  private static WeightFormat format(String name) {
    return FormatNames.parse(name).orElseThrow();
  }

  private List<Sensitivity> measure(ShardedSafetensors source, List<Long> steps) {
    SequencedMap<String, SequencedMap<String, WeightFormat>> candidates = new LinkedHashMap<>();
    for (String weight : ModelLoader.linearWeights(model(), source)) {
      SequencedMap<String, WeightFormat> formats = new LinkedHashMap<>();
      FORMATS.forEach(name -> formats.put(name, format(name)));
      candidates.put(weight, formats);
    }
    var request = new Sensitivities.Request(model(), source, candidates, format("nf3"), batches());
    return new Sensitivities(
            request,
            kernels,
            (done, total) -> {
              assertThat(done).isLessThanOrEqualTo(total);
              steps.add(total - done);
            })
        .measure();
  }

  /** Mean divergence of a model whose one weight is in NF3 from the model as it is stored. */
  private double divergence(ShardedSafetensors source, String exchanged) {
    try (Scope scope = Scope.open("run", kernels.memory())) {
      FrozenWeights nf3 = new FrozenWeights(source, Optional.of(format("nf3")), kernels, scope);
      ModelOptions options =
          new ModelOptions(new Training.Nothing(), Optional.empty(), 32, Checkpointing.FULL);
      CausalLm whole =
          ModelLoader.over(
              model(), source, n -> new Dense(source.tensor(n)), options, kernels, scope);
      CausalLm other =
          ModelLoader.over(
              model(),
              source,
              n -> n.equals(exchanged) ? nf3.load(n) : new Dense(source.tensor(n)),
              options,
              kernels,
              scope);
      LogitAgreement.Sum sum = new LogitAgreement.Sum();
      for (Batch batch : batches()) {
        float[][] expected = whole.logits(batch);
        float[][] found = other.logits(batch);
        for (int i = 0; i < expected.length; i++) {
          sum.add(expected[i], found[i]);
        }
      }
      return sum.result().divergence();
    }
  }

  @Test
  void measuresOneMatrixAtATime() {
    try (ShardedSafetensors source = ShardedSafetensors.open(model())) {
      List<Long> left = new ArrayList<>();
      List<Sensitivity> all = measure(source, left);
      assertThat(left.getLast()).isZero();
      assertThat(all)
          .extracting(Sensitivity::name)
          .isEqualTo(ModelLoader.linearWeights(model(), source));
      for (Sensitivity s : all) {
        double expected = divergence(source, s.name());
        assertThat(s.divergence()).isPositive().isCloseTo(expected, within(1e-3 * expected));
        assertThat(s.shape()).isEqualTo(source.tensor(s.name()).shape());
        assertThat(s.costs().keySet()).containsExactlyElementsOf(FORMATS);
        // Of the probe's own format the prediction is the measurement.
        double own = Objects.requireNonNull(s.costs().get("nf3"));
        assertThat(own).isCloseTo(s.divergence(), within(1e-9));
        assertThat(s.costs().get("nf4")).isPositive().isLessThan(own);
        assertThat(s.costs().get("hqq-2-g16")).isGreaterThan(own);
      }
      assertThat(measure(source, new ArrayList<>())).isEqualTo(all);
    }
  }

  @Test
  void errorsAreOfWhatAMapGives() {
    int outputs = 24;
    int inputs = 64;
    int tokens = 10;
    Random random = new Random(3);
    try (Scope scope = Scope.open("test", Memory.host())) {
      Tensor w = scope.allocate("w", DType.F32, outputs, inputs);
      for (int i = 0; i < outputs * inputs; i++) {
        w.setFloat(i, random.nextGaussian());
      }
      FrozenMatrix made = format("nf3").allocator(kernels, scope).allocate("w", outputs, inputs);
      format("nf3").encode(kernels, made, w);
      Tensor decoded = scope.allocate("decoded", DType.F32, outputs, inputs);
      kernels.products().decode(decoded, made);
      Tensor h = scope.allocate("h", DType.F32, Shape.of(inputs, inputs).dims());
      double expected = 0;
      for (int t = 0; t < tokens; t++) {
        double[] x = random.doubles(inputs, -1, 2).toArray();
        for (int i = 0; i < inputs * inputs; i++) {
          h.setFloat(i, h.getFloat(i) + x[i / inputs] * x[i % inputs]);
        }
        for (int o = 0; o < outputs; o++) {
          double error = 0;
          for (int i = 0; i < inputs; i++) {
            long at = (long) o * inputs + i;
            error += ((double) decoded.getFloat(at) - w.getFloat(at)) * x[i];
          }
          expected += error * error / tokens;
        }
      }
      assertThat(OutputErrors.of(kernels, w, made, new SecondMoments(h, tokens)))
          .isCloseTo(expected, within(1e-4 * expected));
    }
  }
}
