/**
 * What a run needs to go on where it stopped, written so that a failure harms nothing.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.trainer.checkpoint;

import org.jspecify.annotations.NullMarked;
