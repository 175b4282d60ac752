package dev.nibble.api.comparing;

import dev.nibble.api.event.Event;
import dev.nibble.api.export.Calibration;
import dev.nibble.api.export.Quantizer;
import dev.nibble.compute.files.Folders;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.quant.CalibratedFormat;
import dev.nibble.recipes.recipe.Recipe;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A base that was fitted to a recipe's training data, in a folder that is deleted when this closes.
 *
 * @param seconds that calibration and fitting took
 */
record FittedBase(Path folder, ShardedSafetensors tensors, double seconds)
    implements AutoCloseable {
  /** Fits a recipe's base. What is done of a comparison that was stopped is gone on with. */
  static FittedBase fit(
      Recipe recipe, CalibratedFormat format, Path folder, Consumer<Event> listener) {
    long start = System.nanoTime();
    Quantizer.Request request =
        new Quantizer.Request(
            recipe.model().base(),
            folder,
            true,
            format,
            Optional.of(new Calibration(recipe, Calibration.DEFAULT_SAMPLES)),
            DType.BF16,
            List.of(),
            Long.MAX_VALUE,
            recipe.machine().options().threads());
    new Quantizer(request, listener).write();
    double seconds = (System.nanoTime() - start) / 1e9;
    return new FittedBase(folder, ShardedSafetensors.open(folder), seconds);
  }

  @Override
  public void close() {
    tensors.close();
    try {
      Folders.remove(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
