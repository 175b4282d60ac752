package dev.nibble.api.export;

import dev.nibble.api.event.Event;
import dev.nibble.api.wiring.RunData;
import dev.nibble.api.wiring.Wiring;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.data.Batch;
import dev.nibble.data.batching.BatchStream;
import dev.nibble.data.tokenizer.Tokenizer;
import dev.nibble.quant.CalibratedFormat;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.trainer.calibration.CalibrationFolder;
import dev.nibble.trainer.calibration.LayerwiseQuantization;
import dev.nibble.trainer.export.QuantizedCheckpoint.QuantizedTensors;
import dev.nibble.trainer.model.config.TensorSpec;
import dev.nibble.trainer.run.FileDigest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * The data that a calibrated format is fitted to: the first samples of a recipe's training data, in
 * the order of its first epoch.
 *
 * @param recipe whose {@code base_model} is quantised
 * @param samples the most of them, at least 1
 */
public record Calibration(Recipe recipe, int samples) {
  /** How many samples GPTQ's authors take. */
  public static final int DEFAULT_SAMPLES = 128;

  /** Checks the number. */
  public Calibration {
    if (samples < 1) {
      throw new IllegalArgumentException(samples + " calibration samples");
    }
  }

  /**
   * Fits weights to the data.
   *
   * @param source of the recipe's base model
   * @param weights to quantise
   * @param folder takes what is done; an earlier one of the same request is gone on with
   */
  QuantizedTensors fit(
      ShardedSafetensors source,
      Set<String> weights,
      CalibratedFormat format,
      CalibrationFolder folder,
      Kernels kernels,
      Consumer<Event> listener)
      throws IOException {
    Path model = recipe.model().base();
    List<Batch> batches = batches(listener);
    var request =
        new LayerwiseQuantization.Request(
            model,
            source,
            weights,
            format,
            batches,
            identity(model, weights, format, batches, listener));
    Map<String, Path> files =
        new LayerwiseQuantization(
                request,
                kernels,
                folder,
                (done, total) ->
                    listener.accept(new Event.Working(Event.Activity.CALIBRATING, done, total)))
            .run();
    return (weight, use) -> {
      String module = TensorSpec.module(weight) + ".";
      try (SafetensorsFile file = Safetensors.open(Objects.requireNonNull(files.get(weight)))) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        file.names().stream()
            .filter(name -> name.startsWith(module))
            .forEach(name -> tensors.put(name, file.tensor(name)));
        use.of(tensors);
      }
    };
  }

  private List<Batch> batches(Consumer<Event> listener) {
    Wiring wiring = new Wiring(recipe);
    List<Batch> batches = new ArrayList<>();
    int left = samples;
    try (Tokenizer tokenizer = wiring.tokenizer()) {
      RunData data = wiring.data(tokenizer, listener);
      try (BatchStream stream = data.train().batches(wiring.batches(), 1)) {
        while (left > 0 && stream.hasNext()) {
          Batch batch = stream.next();
          batches.add(batch.samples() <= left ? batch : batch.part(0, left));
          left -= batch.samples();
        }
      }
    }
    return batches;
  }

  /** All that decides the result, in a form that one can read. */
  private static String identity(
      Path model,
      Set<String> weights,
      CalibratedFormat format,
      List<Batch> batches,
      Consumer<Event> listener)
      throws IOException {
    listener.accept(new Event.Working(Event.Activity.HASHING_FILES));
    StringBuilder text = new StringBuilder();
    text.append("format: ").append(format.layout().config(DType.F32, List.of())).append('\n');
    text.append("calibration tokens: ").append(digest(batches)).append('\n');
    for (FileDigest file : FileDigest.ofModel(model)) {
      text.append(file.name()).append(": ").append(file.sha256()).append('\n');
    }
    new TreeSet<>(weights).forEach(w -> text.append(w).append('\n'));
    return text.toString();
  }

  private static String digest(List<Batch> batches) {
    MessageDigest digest = FileDigest.newDigest();
    for (Batch batch : batches) {
      ByteBuffer bytes =
          ByteBuffer.allocate(Integer.BYTES * (batch.length() + batch.starts().length));
      bytes.asIntBuffer().put(batch.starts()).put(batch.tokens());
      digest.update(bytes);
    }
    return HexFormat.of().formatHex(digest.digest());
  }
}
