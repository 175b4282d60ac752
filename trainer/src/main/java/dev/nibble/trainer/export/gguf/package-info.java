/**
 * Models and adapters in GGUF, the format of llama.cpp (github.com/ggml-org/ggml, docs/gguf.md).
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.trainer.export.gguf;

import org.jspecify.annotations.NullMarked;
