/**
 * The only reader of a model's config.json: families, sizes, ropes, and the tensors that follow.
 */
@NullMarked
package dev.nibble.trainer.model.config;

import org.jspecify.annotations.NullMarked;
