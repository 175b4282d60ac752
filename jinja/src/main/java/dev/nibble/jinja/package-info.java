/**
 * Renders chat templates: the part of Jinja2 that they are written in, with the results that Python
 * gives.
 */
@NullMarked
package dev.nibble.jinja;

import org.jspecify.annotations.NullMarked;
