package dev.nibble.trainer.calibration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.compute.weights.Groups.Axis;
import dev.nibble.data.Batch;
import dev.nibble.data.Sample;
import dev.nibble.quant.CalibratedFormat;
import dev.nibble.quant.CheckpointLayout;
import dev.nibble.quant.SecondMoments;
import dev.nibble.quant.hqq.HqqFormat;
import dev.nibble.trainer.export.ExportException;
import dev.nibble.trainer.model.build.ModelLoader;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Moments are of what each map multiplies, and a stopped quantisation goes on to the same bits. */
final class LayerwiseQuantizationTest {
  private static final String Q = "model.layers.%d.self_attn.q_proj.weight";
  private static final double EPSILON = 1e-6;

  @TempDir private Path temporary;
  private final Kernels kernels = KernelSets.require("cpu").open(KernelOptions.exact(2));

  @AfterEach
  void close() {
    kernels.close();
  }

  private static Path model() {
    try {
      return Path.of(
          Objects.requireNonNull(LayerwiseQuantizationTest.class.getResource("/golden/bnb/base"))
              .toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** HQQ, which keeps the moments that it is given. */
  private record Keeping(HqqFormat hqq, Map<String, Moments> seen) implements CalibratedFormat {
    Keeping(int bits) {
      this(
          new HqqFormat(bits, 64, Axis.INPUTS, true, HqqFormat.Metadata.F16),
          new LinkedHashMap<>());
    }

    @Override
    public void encode(Kernels kernels, FrozenMatrix out, Tensor in, SecondMoments moments) {
      seen.put(in.name(), new Moments(moments.sum().toFloats(), moments.tokens()));
      hqq.encode(kernels, out, in);
    }

    @Override
    public String name() {
      return hqq.name();
    }

    @Override
    public String describe() {
      return hqq.describe();
    }

    @Override
    public double bitsPerWeight() {
      return hqq.bitsPerWeight();
    }

    @Override
    public Allocator allocator(Kernels kernels, Scope scope) {
      return hqq.allocator(kernels, scope);
    }

    @Override
    public CheckpointLayout layout() {
      return hqq.layout();
    }
  }

  @SuppressWarnings("ArrayRecordComponent")
  private record Moments(float[] sum, long tokens) {}

  /** Three batches of several samples, of different lengths. */
  private static List<Batch> batches() {
    Random random = new Random(5);
    List<Batch> batches = new ArrayList<>();
    for (int[] lengths : new int[][] {{7, 12}, {20}, {3, 5, 2}}) {
      List<Sample> samples = new ArrayList<>();
      for (int length : lengths) {
        int[] tokens = random.ints(length, 0, 64).toArray();
        boolean[] supervised = new boolean[length];
        samples.add(new Sample(tokens, supervised));
      }
      batches.add(Batch.of(samples));
    }
    return batches;
  }

  private Map<String, Path> run(
      CalibratedFormat format, Path folder, String identity, BiConsumer<Long, Long> progress)
      throws IOException {
    try (ShardedSafetensors source = ShardedSafetensors.open(model())) {
      var request =
          new LayerwiseQuantization.Request(
              model(),
              source,
              new HashSet<>(ModelLoader.linearWeights(model(), source)),
              format,
              batches(),
              identity);
      return new LayerwiseQuantization(request, kernels, new CalibrationFolder(folder), progress)
          .run();
    }
  }

  private Map<String, Moments> moments(int bits) throws IOException {
    Keeping format = new Keeping(bits);
    run(format, temporary.resolve("bits" + bits), "one", (done, total) -> {});
    return format.seen();
  }

  /** The first layer's queries multiply the normed embeddings of all tokens. */
  @Test
  void momentsAreOfWhatAMapMultiplies() throws IOException {
    Moments found = Objects.requireNonNull(moments(4).get(Q.formatted(0)));
    try (ShardedSafetensors source = ShardedSafetensors.open(model())) {
      Tensor table = source.tensor("model.embed_tokens.weight");
      Tensor norm = source.tensor("model.layers.0.input_layernorm.weight");
      int c = (int) table.cols();
      double[] expected = new double[c * c];
      long tokens = 0;
      for (Batch batch : batches()) {
        for (int token : batch.tokens()) {
          double[] x = new double[c];
          double squares = 0;
          for (int i = 0; i < c; i++) {
            x[i] = table.getFloat((long) token * c + i);
            squares += x[i] * x[i];
          }
          for (int i = 0; i < c; i++) {
            x[i] *= norm.getFloat(i) / Math.sqrt(squares / c + EPSILON);
          }
          for (int i = 0; i < c * c; i++) {
            expected[i] += x[i / c] * x[i % c];
          }
          tokens++;
        }
      }
      assertThat(found.tokens()).isEqualTo(tokens);
      for (int i = 0; i < c * c; i++) {
        assertThat((double) found.sum()[i]).isEqualTo(expected[i], within(1e-3));
      }
    }
  }

  @Test
  void mapsOfOneInputShareMoments() throws IOException {
    Map<String, Moments> all = moments(4);
    String layer = "model.layers.1.";
    float[] q = at(all, layer + "self_attn.q_proj.weight");
    assertThat(at(all, layer + "self_attn.k_proj.weight")).isEqualTo(q);
    assertThat(at(all, layer + "self_attn.v_proj.weight")).isEqualTo(q);
    assertThat(at(all, layer + "self_attn.o_proj.weight")).isNotEqualTo(q);
    float[] gate = at(all, layer + "mlp.gate_proj.weight");
    assertThat(at(all, layer + "mlp.up_proj.weight")).isEqualTo(gate);
    assertThat(gate).isNotEqualTo(q);
  }

  private static float[] at(Map<String, Moments> all, String weight) {
    return Objects.requireNonNull(all.get(weight)).sum();
  }

  /** The second layer's inputs are nearly the model's own with 8 bits, and far from them with 1. */
  @Test
  void layersSeeWhatQuantisedLayersPassOn() throws IOException {
    float[] eight = at(moments(8), Q.formatted(1));
    float[] four = at(moments(4), Q.formatted(1));
    float[] one = at(moments(1), Q.formatted(1));
    assertThat(distance(four, eight)).isBetween(1e-4, 0.3);
    assertThat(distance(one, eight)).isGreaterThan(2 * distance(four, eight));
  }

  private static double distance(float[] a, float[] b) {
    double difference = 0;
    double size = 0;
    for (int i = 0; i < a.length; i++) {
      difference += Math.pow(a[i] - b[i], 2);
      size += Math.pow(b[i], 2);
    }
    return Math.sqrt(difference / size);
  }

  /** Stopped by its listener at every step in turn, and gone on with. */
  @Test
  void goesOnToTheSameBits() throws IOException {
    Path whole = temporary.resolve("whole");
    List<Long> steps = new ArrayList<>();
    List<Long> totals = new ArrayList<>();
    Map<String, Path> files =
        run(
            new Keeping(4),
            whole,
            "one",
            (done, total) -> {
              steps.add(done);
              totals.add(total);
            });
    assertThat(steps).isSorted().doesNotHaveDuplicates();
    assertThat(steps.getLast()).isEqualTo(totals.getLast());
    assertThat(totals).containsOnly(steps.getLast());
    for (long stop = 1; stop < steps.size(); stop++) {
      long at = stop;
      Path folder = temporary.resolve("stopped-" + stop);
      assertThatThrownBy(() ->
              run(
                  new Keeping(4),
                  folder,
                  "one",
                  (done, total) -> {
                    if (done == at) {
                      throw new IllegalStateException("stop");
                    }
                  }))
          .hasMessage("stop");
      assertThat(leftovers(folder)).isEmpty();
      run(new Keeping(4), folder, "one", (done, total) -> {});
      for (Path file : new HashSet<>(files.values())) {
        assertThat(folder.resolve(whole.relativize(file))).hasSameBinaryContentAs(file);
      }
    }
  }

  /** Killed before or while it wrote whose folder it is. */
  @Test
  void beginsInAFolderThatHoldsNothingYet() throws IOException {
    Path folder = Files.createDirectory(temporary.resolve("empty"));
    CalibrationFolder calibration = new CalibrationFolder(folder);
    calibration.claim("one");
    calibration.claim("one");
    assertThatThrownBy(() -> calibration.claim("two"))
        .isInstanceOf(ExportException.class)
        .hasMessageContaining(folder + " holds the beginning of a quantisation with other");
    Files.move(folder.resolve("request.txt"), folder.resolve("request.txt.tmp"));
    calibration.claim("two");
    assertThat(folder.resolve("request.txt")).hasContent("two");
    assertThat(leftovers(folder)).isEmpty();
  }

  @Test
  void leavesFilesOfOthersAlone() throws IOException {
    Path folder = Files.createDirectory(temporary.resolve("mine"));
    Path mine = Files.writeString(folder.resolve("letter.txt"), "dear");
    assertThatThrownBy(() -> new CalibrationFolder(folder).claim("one"))
        .isInstanceOf(ExportException.class)
        .hasMessageContaining(folder + " holds files that are not those of a quantisation");
    assertThat(folder).isDirectoryContaining(mine::equals);
    assertThat(leftovers(folder)).isEmpty();
  }

  private static List<Path> leftovers(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(f -> f.toString().endsWith(".tmp")).toList();
    }
  }

  @Test
  void anotherRequestDoesNotGoOn() throws IOException {
    Path folder = temporary.resolve("folder");
    Keeping format = new Keeping(4);
    run(format, folder, "one", (done, total) -> {});
    assertThatThrownBy(() -> run(format, folder, "two", (done, total) -> {}))
        .isInstanceOf(ExportException.class)
        .hasMessage(
            "%s holds the beginning of a quantisation with other settings, data or weights; delete the folder to begin anew",
            folder);
  }
}
