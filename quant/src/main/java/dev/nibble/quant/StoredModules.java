package dev.nibble.quant;

import java.util.Set;

/**
 * Which matrices stay as the checkpoint stores them when a model is put in four bits: bitsandbytes
 * quantises every linear map but the output head, and embeddings are no linear maps.
 */
final class StoredModules {
  private static final Set<String> NAMES = Set.of("lm_head", "embed_tokens");

  private StoredModules() {}

  /** True when the module of this tensor, such as {@code model.embed_tokens.weight}, stays. */
  static boolean keeps(String tensor) {
    String module = tensor.endsWith(".weight") ? tensor.substring(0, tensor.length() - 7) : tensor;
    return NAMES.contains(module.substring(module.lastIndexOf('.') + 1));
  }
}
