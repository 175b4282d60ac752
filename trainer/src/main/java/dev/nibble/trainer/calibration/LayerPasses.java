package dev.nibble.trainer.calibration;

import dev.nibble.compute.tensor.Tensor;
import dev.nibble.data.Batch;
import dev.nibble.trainer.model.LayeredModel;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;

/** All batches, passed through one layer at a time. Their residual streams lie in files between. */
final class LayerPasses {
  private final LayeredModel model;
  private final List<Batch> batches;
  private final CalibrationFolder folder;
  private final Tensor room;
  private final Runnable passed;

  /**
   * Passes of a model.
   *
   * @param room [N, C] of activations, on the host, for the longest batch
   * @param passed called when a batch has passed a layer
   */
  LayerPasses(
      LayeredModel model,
      List<Batch> batches,
      CalibrationFolder folder,
      Tensor room,
      Runnable passed) {
    this.model = model;
    this.batches = batches;
    this.folder = folder;
    this.room = room;
    this.passed = passed;
  }

  /** Makes the input of the first layer. */
  void embed() throws IOException {
    ResidualFile.write(
        folder.streams(0),
        sink -> {
          for (Batch batch : batches) {
            Tensor x = streams(batch);
            model.embed(batch, x);
            sink.put(x);
          }
        });
  }

  /** What a layer makes of the streams of a batch. */
  private interface Use {
    void of(Tensor streams) throws IOException;
  }

  private void each(int layer, Use before, Use after) throws IOException {
    try (ResidualFile in = ResidualFile.open(folder.streams(layer))) {
      for (Batch batch : batches) {
        Tensor x = streams(batch);
        in.read(x);
        before.of(x);
        model.layer(layer, batch, x, x);
        after.of(x);
        passed.run();
      }
    }
  }

  private Tensor streams(Batch batch) {
    return room.slice(0, batch.length());
  }

  /** Lets a layer's maps see what they multiply. */
  void see(int layer, InputMoments moments) throws IOException {
    each(layer, x -> moments.nextPass(), x -> {});
  }

  /** Makes the input of the next layer, if there is one, and forgets that of this one. */
  void go(int layer) throws IOException {
    if (layer + 1 < model.layers()) {
      ResidualFile.write(folder.streams(layer + 1), sink -> each(layer, x -> {}, sink::put));
      Files.delete(folder.streams(layer));
    }
  }
}
