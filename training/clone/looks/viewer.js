// The avatar turning. AVATAR holds base64 arrays: places and normals (float32), colours and origins (bytes), faces.
(() => {
  const bytes = (name) => Uint8Array.from(atob(AVATAR[name]), (c) => c.charCodeAt(0));
  const canvas = document.getElementById("avatar");
  const gl = canvas.getContext("webgl", { antialias: true });
  if (!gl) {
    canvas.replaceWith("This browser shows no WebGL; the pictures below show the avatar.");
    return;
  }
  const compile = (kind, source) => {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    return shader;
  };
  const program = gl.createProgram();
  gl.attachShader(program, compile(gl.VERTEX_SHADER, `
    attribute vec3 place, normal, colour; uniform vec2 turn; uniform float aspect; varying vec3 shade;
    void main() {
      float c = cos(turn.x), s = sin(turn.x), d = cos(turn.y), t = sin(turn.y);
      mat3 about = mat3(c, s * t, -s * d, 0.0, d, t, s, -c * t, c * d);
      vec3 at = about * place, way = about * normal;
      shade = colour * (0.62 + 0.38 * max(dot(way, normalize(vec3(0.3, 0.9, 0.6))), 0.0) + 0.1 * way.z);
      gl_Position = vec4(at.x / aspect, at.y, -at.z * 0.4, 1.0);
    }`));
  gl.attachShader(program, compile(gl.FRAGMENT_SHADER,
    "precision mediump float; varying vec3 shade; void main() { gl_FragColor = vec4(shade, 1.0); }"));
  gl.linkProgram(program);
  gl.useProgram(program);
  const feed = (name, attribute, type, normalised) => {
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, bytes(name), gl.STATIC_DRAW);
    const at = gl.getAttribLocation(program, attribute);
    gl.enableVertexAttribArray(at);
    gl.vertexAttribPointer(at, 3, type, normalised, 0, 0);
  };
  feed("places", "place", gl.FLOAT, false);
  feed("normals", "normal", gl.FLOAT, false);
  const dress = () => feed(document.getElementById("origin").checked ? "origins" : "colours", "colour",
    gl.UNSIGNED_BYTE, true);
  dress();
  document.getElementById("origin").addEventListener("change", dress);
  gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
  const faces = bytes("faces");
  gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, faces, gl.STATIC_DRAW);
  gl.enable(gl.DEPTH_TEST);
  gl.clearColor(0.98, 0.975, 0.965, 1);
  gl.uniform1f(gl.getUniformLocation(program, "aspect"), canvas.width / canvas.height);
  let yaw = 1.1, pitch = 0.2, held = null;
  canvas.addEventListener("pointerdown", (e) => { held = [e.clientX, e.clientY]; canvas.setPointerCapture(e.pointerId); });
  canvas.addEventListener("pointermove", (e) => {
    if (!held) return;
    yaw += (e.clientX - held[0]) / 120;
    pitch = Math.min(1.4, Math.max(-1.4, pitch + (e.clientY - held[1]) / 160));
    held = [e.clientX, e.clientY];
  });
  canvas.addEventListener("pointerup", () => { held = null; });
  const frame = () => {
    if (!held) yaw += 0.008;
    gl.uniform2f(gl.getUniformLocation(program, "turn"), yaw, pitch);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.drawElements(gl.TRIANGLES, faces.length / 2, gl.UNSIGNED_SHORT, 0);
    requestAnimationFrame(frame);
  };
  frame();
})();
