/**
 * Text from a model, token by token.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.trainer.generate;

import org.jspecify.annotations.NullMarked;
