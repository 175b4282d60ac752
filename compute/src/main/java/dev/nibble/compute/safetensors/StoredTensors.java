package dev.nibble.compute.safetensors;

import dev.nibble.compute.tensor.Tensor;
import java.util.Set;

/** The tensors of a model by name, each read on first access. */
public interface StoredTensors {

  /** The tensors' names, in the order of the store. */
  Set<String> names();

  /** True when there is a tensor of this name. */
  boolean has(String name);

  /** A read-only tensor on the host; lives until it is unloaded, or the store is closed. */
  Tensor tensor(String name);

  /** Gives the memory behind a tensor back, when its values were copied or quantised. */
  void unload(String name);

  /** Where a tensor lies, for errors. */
  String placeOf(String name);
}
