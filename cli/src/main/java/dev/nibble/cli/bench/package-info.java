/** Measurements of a training step on models of random weights. */
@NullMarked
package dev.nibble.cli.bench;

import org.jspecify.annotations.NullMarked;
