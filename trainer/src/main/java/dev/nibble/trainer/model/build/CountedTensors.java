package dev.nibble.trainer.model.build;

import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.compute.tensor.Tensor;
import java.util.HashSet;
import java.util.Set;
import java.util.function.BiConsumer;

/** Stored tensors that tell how many of their bytes have been loaded. */
final class CountedTensors implements StoredTensors {
  private final StoredTensors tensors;
  private final BiConsumer<Long, Long> progress;
  private final Set<String> counted = new HashSet<>();
  private final long total;
  private long done;

  /**
   * Counts a tensor when it is given back for the first time.
   *
   * @param progress hears the bytes given back, and those of all tensors
   */
  CountedTensors(StoredTensors tensors, BiConsumer<Long, Long> progress) {
    this.tensors = tensors;
    this.progress = progress;
    this.total = tensors.names().stream().mapToLong(name -> tensors.tensor(name).bytes()).sum();
  }

  @Override
  public void unload(String name) {
    if (counted.add(name)) {
      done += tensors.tensor(name).bytes();
      progress.accept(done, total);
    }
    tensors.unload(name);
  }

  @Override
  public Set<String> names() {
    return tensors.names();
  }

  @Override
  public boolean has(String name) {
    return tensors.has(name);
  }

  @Override
  public Tensor tensor(String name) {
    return tensors.tensor(name);
  }

  @Override
  public String placeOf(String name) {
    return tensors.placeOf(name);
  }
}
