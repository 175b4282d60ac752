/**
 * Tables of keys: what a YAML mapping may hold, read strictly, written back, and described.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.recipes.schema;

import org.jspecify.annotations.NullMarked;
