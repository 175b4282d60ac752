/**
 * The training loop: one sentence of code, one stream of reports.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.trainer.train;

import org.jspecify.annotations.NullMarked;
