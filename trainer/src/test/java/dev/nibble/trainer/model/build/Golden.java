package dev.nibble.trainer.model.build;

import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.data.Batch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * What transformers and PEFT computed on tiny models; {@code -Dgolden.dir} names another folder of
 * the same layout.
 */
final class Golden {
  private Golden() {}

  /** The names of all cases, by what lies in the folder. */
  static List<String> models() {
    try (Stream<Path> folders = Files.list(model(""))) {
      return folders
          .filter(Files::isDirectory)
          .map(f -> f.getFileName().toString())
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The folder of a model's case. */
  static Path model(String name) {
    return folder().resolve("models").resolve(name);
  }

  /** A file of bitsandbytes'. */
  static Path bnb(String name) {
    return folder().resolve("bnb").resolve(name);
  }

  /** The folder of preference losses. */
  static Path preference() {
    return folder().resolve("preference");
  }

  private static Path folder() {
    String given = System.getProperty("golden.dir", "");
    return given.isEmpty() ? resources() : Path.of(given);
  }

  /** The folder of the model that a variant such as {@code llama/lora} adapts. */
  static Path base(String variant) {
    return model(variant.substring(0, variant.indexOf('/')));
  }

  /** The folder of the adapter of a variant; {@code _nf4} is about the base alone. */
  static Path adapter(String variant) {
    return model(variant.replace("_nf4", ""));
  }

  private static Path resources() {
    URL url = Objects.requireNonNull(Golden.class.getResource("/golden"), "no golden resources");
    try {
      return Path.of(url.toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  static SafetensorsFile file(Path folder) {
    return Safetensors.open(folder.resolve("golden.safetensors"));
  }

  /** The rows of input_ids and labels [B, T] as one packed batch. */
  static Batch batch(SafetensorsFile golden) {
    Tensor ids = golden.tensor("input_ids");
    Tensor labels = golden.tensor("labels");
    int rows = (int) ids.dim(0);
    int length = (int) ids.dim(1);
    int[] targets = new int[rows * length];
    int[] positions = new int[rows * length];
    int[] starts = new int[rows + 1];
    for (int i = 0; i < targets.length; i++) {
      positions[i] = i % length;
      boolean last = positions[i] == length - 1;
      targets[i] = last ? Batch.IGNORE : labels.getInt(i + 1L);
      starts[i / length + 1] = i + 1;
    }
    return new Batch(ids.toInts(), targets, positions, starts);
  }

  /** Several sequences of different lengths in one row. */
  static Batch packed(SafetensorsFile golden) {
    int[] tokens = golden.tensor("input_ids_packed").toInts();
    int[] positions = golden.tensor("position_ids_packed").toInts();
    List<Integer> starts = new ArrayList<>();
    int[] targets = new int[tokens.length];
    for (int i = 0; i < tokens.length; i++) {
      targets[i] = Batch.IGNORE;
      if (positions[i] == 0) {
        starts.add(i);
      }
    }
    starts.add(tokens.length);
    return new Batch(
        tokens, targets, positions, starts.stream().mapToInt(Integer::intValue).toArray());
  }
}
