package dev.nibble.trainer.calibration;

import dev.nibble.adapters.FrozenProjection;
import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.data.Batch;
import dev.nibble.quant.CheckpointReaders;
import dev.nibble.quant.FrozenWeights;
import dev.nibble.quant.SecondMoments;
import dev.nibble.quant.StoredWeights;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.quant.WeightFormat;
import dev.nibble.trainer.export.LogitAgreement;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.build.ModelLoader;
import dev.nibble.trainer.model.config.ModelConfig;
import dev.nibble.trainer.model.config.ModelTensors;
import dev.nibble.trainer.model.config.TensorSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;

/**
 * What a model loses when one of its linear maps alone is brought to a format, predicted for many
 * formats from one measurement: a matrix is brought to a probe's format, and the divergence of the
 * model's next-token distribution from the whole model's is measured over calibration data. To
 * second order it grows with the square of the error of the map's outputs; so a format's cost is
 * the probe's divergence times the ratio of the two errors, each tr(E H E^T) with the second
 * moments H of the map's inputs.
 *
 * <p>Only forward passes. In memory are, besides the model as it is stored, all of its matrices in
 * the probe's format, one layer's moments, and the logits of one batch twice.
 */
public final class Sensitivities {
  /** Positions whose divergences are summed up by one thread. */
  private static final int CHUNK = 16;

  private final Request request;
  private final Kernels kernels;
  private final BiConsumer<Long, Long> progress;
  private final StoredWeights dense;
  private final Map<Integer, List<String>> layers = new LinkedHashMap<>();
  private final Map<String, WatchedProjection> projections = new HashMap<>();
  private final Map<String, Double> probeErrors = new HashMap<>();
  private final Map<String, SequencedMap<String, Double>> errors = new HashMap<>();
  private long done;
  private long total;

  /**
   * What to measure, and on what data.
   *
   * @param model folder of the model
   * @param source its tensors, not quantised; stay the caller's, and open
   * @param candidates for each weight the formats that can hold it, by name
   * @param probe a format that can hold every weight
   * @param batches the calibration data, one at least; the logits of each, twice, must fit in
   *     Java's heap
   */
  public record Request(
      Path model,
      ShardedSafetensors source,
      SequencedMap<String, SequencedMap<String, WeightFormat>> candidates,
      WeightFormat probe,
      List<Batch> batches) {
    /** Copies the list. */
    public Request {
      batches = List.copyOf(batches);
      if (batches.isEmpty()) {
        throw new IllegalArgumentException("no calibration data");
      }
    }
  }

  /**
   * A weight's measurements.
   *
   * @param name of the weight
   * @param shape [O, I]
   * @param divergence mean KL divergence in nats, with this weight alone in the probe's format
   * @param costs the same, predicted, for each format that can hold it
   */
  public record Sensitivity(
      String name, Shape shape, double divergence, SequencedMap<String, Double> costs) {
    /** Copies the map. */
    public Sensitivity {
      costs = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(costs));
    }
  }

  /**
   * A measurement to run.
   *
   * @param progress hears of the steps done, and of all: passes of a batch, and matrices made
   */
  public Sensitivities(Request request, Kernels kernels, BiConsumer<Long, Long> progress) {
    this.request = request;
    this.kernels = kernels;
    this.progress = progress;
    this.dense = CheckpointReaders.find(request.source());
    for (TensorSpec tensor : ModelTensors.of(ModelConfig.of(request.model(), request.source()))) {
      if (request.candidates().containsKey(tensor.name())) {
        layers
            .computeIfAbsent(tensor.layer().orElseThrow(), l -> new ArrayList<>())
            .add(tensor.name());
      }
    }
  }

  /**
   * Measures.
   *
   * @return one for each weight, in the order of the forward pass
   * @throws UnusableWeight when outputs are not finite
   */
  public List<Sensitivity> measure() {
    long batches = request.batches().size();
    long weights = request.candidates().size();
    long made = request.candidates().values().stream().mapToLong(c -> c.size() + 1).sum();
    total = batches * (layers.size() + 1 + weights) + made;
    try (Scope scope = Scope.open("sensitivities", kernels.memory())) {
      int most = request.batches().stream().mapToInt(Batch::length).max().orElseThrow();
      CausalLm model =
          ModelLoader.surrounded(
              request.model(), request.source(), most, this::watched, kernels, scope);
      FrozenWeights probes =
          new FrozenWeights(request.source(), dense, Optional.of(request.probe()), kernels, scope);
      Map<String, FrozenMatrix> probed = new LinkedHashMap<>();
      for (List<String> layer : layers.values()) {
        compareFormats(model, layer, probes, probed);
      }
      return results(divergences(model, probed));
    }
  }

  private WatchedProjection watched(String module, FrozenProjection linear) {
    WatchedProjection watched = new WatchedProjection(module + ".weight", linear);
    projections.put(watched.weight(), watched);
    return watched;
  }

  private WatchedProjection projection(String weight) {
    return Objects.requireNonNull(projections.get(weight));
  }

  /** Makes a layer's probes, and finds the errors of all formats by the moments of its inputs. */
  private void compareFormats(
      CausalLm model,
      List<String> weights,
      FrozenWeights probes,
      Map<String, FrozenMatrix> probed) {
    try (Scope scope = Scope.open("moments", kernels.memory());
        HostCopies host = new HostCopies(kernels)) {
      InputMoments moments = new InputMoments(kernels, scope);
      weights.forEach(w -> projection(w).watch(moments));
      for (Batch batch : request.batches()) {
        moments.nextPass();
        model.logits(batch);
        step();
      }
      weights.forEach(w -> projection(w).restore());
      for (String weight : weights) {
        SecondMoments of = moments.of(weight, host);
        FrozenMatrix probe = probes.load(weight);
        probed.put(weight, probe);
        probeErrors.put(weight, error(weight, probe, of));
        step();
        SequencedMap<String, Double> ofFormats = new LinkedHashMap<>();
        candidates(weight)
            .forEach((name, format) -> {
              ofFormats.put(name, error(weight, format, of));
              step();
            });
        errors.put(weight, ofFormats);
      }
    }
  }

  private SequencedMap<String, WeightFormat> candidates(String weight) {
    return Objects.requireNonNull(request.candidates().get(weight));
  }

  private double error(String weight, WeightFormat format, SecondMoments moments) {
    try (Scope one = Scope.open("candidate", kernels.memory())) {
      FrozenWeights weights =
          new FrozenWeights(request.source(), dense, Optional.of(format), kernels, one);
      return error(weight, weights.load(weight), moments);
    }
  }

  private double error(String weight, FrozenMatrix made, SecondMoments moments) {
    return OutputErrors.of(kernels, request.source().tensor(weight), made, moments);
  }

  /** The divergence that each probe alone gives, summed up over batches one by one. */
  private Map<String, Double> divergences(CausalLm model, Map<String, FrozenMatrix> probed) {
    Map<String, Double> sums = new HashMap<>();
    long positions = request.batches().stream().mapToLong(Batch::length).sum();
    for (Batch batch : request.batches()) {
      float[][] reference = model.logits(batch);
      step();
      probed.forEach((weight, matrix) -> {
        projection(weight).exchange(matrix);
        sums.merge(weight, divergence(reference, model.logits(batch)), Double::sum);
        projection(weight).restore();
        step();
      });
    }
    sums.replaceAll((weight, sum) -> {
      if (!Double.isFinite(sum)) {
        throw new UnusableWeight(
            "tensor '%s' in %s gives outputs that are not finite"
                .formatted(weight, request.probe().describe()));
      }
      return sum / positions;
    });
    return sums;
  }

  /** The sum over positions. */
  private static double divergence(float[][] reference, float[][] other) {
    double[] chunks =
        IntStream.range(0, Math.ceilDiv(reference.length, CHUNK))
            .parallel()
            .mapToDouble(c -> {
              LogitAgreement.Sum sum = new LogitAgreement.Sum();
              int to = Math.min(reference.length, (c + 1) * CHUNK);
              for (int i = c * CHUNK; i < to; i++) {
                sum.add(reference[i], other[i]);
              }
              return sum.result().divergence() * (to - c * CHUNK);
            })
            .toArray();
    double sum = 0;
    for (double chunk : chunks) {
      sum += chunk;
    }
    return sum;
  }

  private List<Sensitivity> results(Map<String, Double> divergences) {
    List<Sensitivity> all = new ArrayList<>();
    layers.values().stream()
        .flatMap(List::stream)
        .forEach(weight -> {
          double divergence = Objects.requireNonNull(divergences.get(weight));
          double probe = Objects.requireNonNull(probeErrors.get(weight));
          double factor = probe > 0 ? divergence / probe : 0;
          SequencedMap<String, Double> costs = new LinkedHashMap<>();
          Objects.requireNonNull(errors.get(weight))
              .forEach((format, error) -> costs.put(format, factor * error));
          Tensor stored = request.source().tensor(weight);
          all.add(new Sensitivity(weight, stored.shape(), divergence, costs));
        });
    return all;
  }

  private void step() {
    done++;
    progress.accept(done, total);
  }
}
