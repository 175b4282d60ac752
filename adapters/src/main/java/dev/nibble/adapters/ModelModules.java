package dev.nibble.adapters;

import java.util.ArrayList;
import java.util.List;

/**
 * The modules of a model that can carry an adapter, by their full names.
 *
 * @param modelType {@code model_type} of its config.json
 * @param linears linear maps inside the blocks
 * @param tables token embeddings and output head
 */
public record ModelModules(String modelType, List<String> linears, List<String> tables) {
  /** Copies the lists. */
  public ModelModules {
    linears = List.copyOf(linears);
    tables = List.copyOf(tables);
  }

  /** All of them. */
  List<String> all() {
    List<String> all = new ArrayList<>(linears);
    all.addAll(tables);
    return all;
  }
}
