/**
 * The only reader of a model's config.json: families, sizes, ropes, and the tensors that follow.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.trainer.model.config;

import org.jspecify.annotations.NullMarked;
