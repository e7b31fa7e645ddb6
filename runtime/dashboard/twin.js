// The live twin: a built-in animal from the body's measures, or the pack's avatar.glb, its bones turned by
// `tele/joints`. Frame: x left, y up, z ahead, as in glTF; lengths in metres. A joint turns its bone about one
// axis of the bone's own rest frame: the avatar's `extras.axis`, else the axis of the built-in body.
import { GLTFLoader, OrbitControls, THREE } from "nicegui-scene";

const MM = 0.001;
const GAP_MS = 1000; // after a silence of so long the pose is taken up smoothly, not by a jump
const EASE_MS = 300;
const KEPT = 500;

const material = (color) => new THREE.MeshStandardMaterial({ color, roughness: 0.75 });

function capsule(length, radius, color) {
  const mesh = new THREE.Mesh(new THREE.CapsuleGeometry(radius, Math.max(length, 0.001), 6, 16), material(color));
  return mesh;
}

function ball(radius, color) {
  return new THREE.Mesh(new THREE.SphereGeometry(radius, 20, 14), material(color));
}

function bone(name, axis) {
  const made = new THREE.Bone();
  made.name = name;
  made.userData.axis = axis;
  return made;
}

function addLeg(trunk, name, g) {
  const front = name.startsWith("front");
  const left = name.endsWith("left");
  const hip = bone(`${name}_hip`, [-1, 0, 0]);
  hip.position.set((left ? 1 : -1) * g.width_mm * MM / 2, 0, (front ? 1 : -1) * g.length_mm * MM / 2);
  const thick = Math.max(g.leg_radius_mm * 1.7, 8) * MM;
  const upper = capsule(g.upper_mm * MM, thick, 0xb98a5a);
  upper.position.y = -g.upper_mm * MM / 2;
  hip.add(upper, ball(thick * 1.35, 0xb98a5a));
  const knee = bone(`${name}_knee`, [1, 0, 0]);
  knee.position.y = -g.upper_mm * MM;
  const lower = capsule(g.lower_mm * MM, thick * 0.75, 0xa97b4d);
  lower.position.y = -g.lower_mm * MM / 2;
  const foot = ball(thick, 0xf2e3cf);
  foot.position.y = -g.lower_mm * MM;
  foot.userData.floor = thick;
  foot.userData.front = front;
  knee.add(lower, foot);
  hip.add(knee);
  trunk.add(hip);
}

function addStick(trunk, name, s) {
  const way = s.behind ? -1 : 1;
  const pan = bone(s.pan, [0, way, 0]);
  pan.position.set(0, s.up_mm * MM, s.ahead_mm * MM);
  const raised = new THREE.Group();
  raised.rotation.x = -way * THREE.MathUtils.degToRad(s.raised_deg);
  let tip = raised;
  if (s.tilt) {
    tip = bone(s.tilt, [-way, 0, 0]);
    raised.add(tip);
  }
  pan.add(raised);
  const long = s.long_mm * MM;
  const rod = capsule(long, Math.max(s.radius_mm, 5) * MM * (name === "head" ? 0.9 : 1.2), 0xb98a5a);
  rod.rotation.x = Math.PI / 2;
  rod.position.z = way * long / 2;
  tip.add(rod);
  if (name === "head") addFace(tip, long, s.radius_mm * MM);
  else {
    const end = ball(Math.max(s.radius_mm, 5) * MM * 1.5, 0xf2e3cf);
    end.position.z = way * long;
    tip.add(end);
  }
  trunk.add(pan);
}

function addFace(head, long, radius) {
  const skull = ball(radius * 1.75, 0xb98a5a);
  skull.position.z = long;
  const muzzle = capsule(radius * 0.9, radius * 0.75, 0xf2e3cf);
  muzzle.rotation.x = Math.PI / 2;
  muzzle.position.set(0, -radius * 0.45, long + radius * 1.8);
  const nose = ball(radius * 0.34, 0x2b2220);
  nose.position.set(0, -radius * 0.1, long + radius * 2.9);
  head.add(skull, muzzle, nose);
  for (const side of [-1, 1]) {
    const eye = ball(radius * 0.24, 0x2b2220);
    eye.position.set(side * radius * 0.75, radius * 0.55, long + radius * 1.42);
    const ear = capsule(radius * 1.1, radius * 0.5, 0x8a6238);
    ear.position.set(side * radius * 1.65, radius * 0.55, long - radius * 0.25);
    ear.rotation.z = side * 0.35;
    head.add(eye, ear);
  }
}

function builtIn(body) {
  const root = new THREE.Group();
  const trunk = new THREE.Group();
  const g = body.geometry;
  root.add(trunk);
  if (!g) return root;
  const girth = Math.max(g.width_mm * 0.36, g.belly_mm) * MM;
  const chest = capsule(g.length_mm * MM * 0.85, girth, 0xc59a6a);
  chest.rotation.x = Math.PI / 2;
  chest.position.y = girth * 0.35;
  trunk.add(chest);
  for (const joint of body.joints) {
    if (joint.name.endsWith("_hip")) addLeg(trunk, joint.name.slice(0, -4), g);
  }
  for (const [name, stick] of Object.entries(g.sticks || {})) addStick(trunk, name, stick);
  return root;
}

const SAMPLES = 60; // points of a paw that are looked at for the floor

// What may touch the floor: the built-in animal's feet, else the skin that follows a knee.
function contactsOf(figure) {
  const found = [];
  const at = new THREE.Vector3();
  figure.traverse((node) => {
    if (node.userData.floor) {
      const low = () => node.getWorldPosition(at).y - node.userData.floor;
      found.push({ front: node.userData.front, z: () => node.getWorldPosition(at).z, low });
    }
    if (node.isSkinnedMesh) found.push(...pawsOf(node));
  });
  return found;
}

function pawsOf(mesh) {
  const limbs = mesh.skeleton.bones.map((bone) => {
    let above = bone;
    while (above && !above.name.endsWith("_knee")) above = above.parent;
    return above ? above.name : "";
  });
  const { skinIndex, skinWeight } = mesh.geometry.attributes;
  const points = {};
  for (let vertex = 0; vertex < skinIndex.count; vertex++) {
    let heaviest = 0;
    for (let slot = 1; slot < 4; slot++) {
      if (skinWeight.getComponent(vertex, slot) > skinWeight.getComponent(vertex, heaviest)) heaviest = slot;
    }
    const limb = limbs[skinIndex.getComponent(vertex, heaviest)];
    if (limb) (points[limb] ??= []).push(vertex);
  }
  const at = new THREE.Vector3();
  const place = (vertex) => mesh.getVertexPosition(vertex, at).applyMatrix4(mesh.matrixWorld);
  return Object.entries(points).map(([limb, all]) => {
    const some = all.filter((_, i) => i % Math.ceil(all.length / SAMPLES) === 0);
    const low = () => Math.min(...some.map((vertex) => place(vertex).y));
    return { front: limb.startsWith("front"), z: () => place(some[0]).z, low };
  });
}

const AXES = { hip: [-1, 0, 0], knee: [1, 0, 0], pan: [0, 1, 0], tilt: [-1, 0, 0], tail: [0, -1, 0] };

function axisOf(node, joint) {
  const axis = node.userData.axis || AXES[joint.split("_").pop()] || [1, 0, 0];
  return new THREE.Vector3(...axis).normalize();
}

export default {
  template: `
    <div class="twin">
      <canvas ref="canvas" role="img" :aria-label="label" tabindex="0"></canvas>
      <p v-if="failed" class="twin-note">{{ without }}</p>
    </div>`,
  props: { body: Object, avatar: String, label: String, without: String },
  data: () => ({ failed: false }),

  mounted() {
    this.bones = {};
    this.shown = {};
    this.target = {};
    this.lags = [];
    this.heardAt = -Infinity;
    this.pending = null;
    window.everpawTwin = this;
    try {
      this.renderer = new THREE.WebGLRenderer({ canvas: this.$refs.canvas, antialias: true, alpha: true });
    } catch {
      this.failed = true;
    }
    this.scene = new THREE.Scene();
    this.camera = new THREE.PerspectiveCamera(32, 1.6, 0.01, 10);
    this.camera.position.set(0.36, 0.22, 0.46);
    this.scene.add(new THREE.HemisphereLight(0xffffff, 0x8a7a66, 2.2));
    const sun = new THREE.DirectionalLight(0xffffff, 1.6);
    sun.position.set(1, 2, 1.5);
    this.scene.add(sun);
    const floor = new THREE.Mesh(
      new THREE.CircleGeometry(0.19, 64),
      new THREE.MeshBasicMaterial({ color: 0x888888, transparent: true, opacity: 0.14 }),
    );
    floor.rotation.x = -Math.PI / 2;
    this.scene.add(floor);
    if (this.renderer) {
      this.controls = new OrbitControls(this.camera, this.$refs.canvas);
      this.controls.target.set(0, 0.075, 0);
      this.controls.enablePan = false;
      this.controls.update();
      this.controls.addEventListener("change", () => this.draw());
      this.resizer = new ResizeObserver(() => this.resize());
      this.resizer.observe(this.$el);
    }
    this.build();
  },

  beforeUnmount() {
    cancelAnimationFrame(this.pending);
    this.resizer?.disconnect();
    this.controls?.dispose();
    this.renderer?.dispose();
    if (window.everpawTwin === this) delete window.everpawTwin;
  },

  watch: {
    body() { this.build(); },
    avatar() { this.build(); },
  },

  methods: {
    async build() {
      if (!this.body) return;
      let figure = builtIn(this.body);
      if (this.avatar) {
        try {
          figure = (await new GLTFLoader().loadAsync(this.avatar)).scene;
        } catch (error) {
          console.info("the avatar cannot be shown, the built-in twin takes its place:", error.message);
        }
      }
      if (this.figure) this.scene.remove(this.figure);
      this.figure = figure;
      this.scene.add(figure);
      this.bones = {};
      figure.traverse((node) => {
        const joint = this.body.joints.find((j) => j.name === node.name);
        if (joint) {
          const bind = (node.userData.bind_deg || 0);
          this.bones[joint.name] = { node, axis: axisOf(node, joint.name), rest: node.quaternion.clone(), bind };
        }
      });
      this.contacts = contactsOf(figure);
      figure.updateMatrixWorld(true);
      const [front, rear] = [true, false].map((which) => this.contacts.filter((c) => c.front === which));
      const middle = (contacts) => contacts.reduce((sum, c) => sum + c.z() / contacts.length, 0);
      this.stride = front.length && rear.length ? middle(front) - middle(rear) : 0;
      const start = Object.keys(this.target).length
        ? this.target
        : Object.fromEntries(this.body.joints.map((j) => [j.name, j.rest_deg]));
      this.place(start);
      this.resize();
    },

    // One sample of tele/joints: {joint: degrees}.
    pose(sample) {
      const now = performance.now();
      const away = Math.max(0, ...Object.keys(sample).map((n) => Math.abs(sample[n] - (this.shown[n] ?? sample[n]))));
      if (now - this.heardAt > GAP_MS && away > 1) this.ease = { from: { ...this.shown }, since: now };
      this.heardAt = now;
      this.target = sample;
      this.received = now;
      if (!this.ease) this.place(sample);
      this.draw();
    },

    place(angles) {
      const turn = new THREE.Quaternion();
      for (const [name, degrees] of Object.entries(angles)) {
        const found = this.bones[name];
        if (!found) continue;
        turn.setFromAxisAngle(found.axis, THREE.MathUtils.degToRad(degrees - found.bind));
        found.node.quaternion.copy(found.rest).multiply(turn);
      }
      this.shown = { ...this.shown, ...angles };
      if (this.received !== undefined) {
        this.lags.push(performance.now() - this.received);
        if (this.lags.length > KEPT) this.lags.shift();
        this.received = undefined;
      }
      this.settle();
    },

    // Front and rear feet stand on the floor: it tips nose up or down as the legs give.
    settle() {
      if (!this.contacts?.length) return;
      this.figure.position.y = 0;
      this.figure.rotation.x = 0;
      const front = this.lowest((contact) => contact.front);
      const rear = this.lowest((contact) => !contact.front);
      this.figure.rotation.x = this.stride > 0 ? -Math.atan2(rear - front, this.stride) : 0;
      this.figure.position.y = -this.lowest(() => true);
    },

    lowest(which) {
      this.figure.updateMatrixWorld(true);
      const contacts = this.contacts.filter(which);
      return contacts.length ? Math.min(...contacts.map((contact) => contact.low())) : 0;
    },

    step() {
      this.pending = null;
      if (this.ease) {
        const share = Math.min(1, (performance.now() - this.ease.since) / EASE_MS);
        const from = this.ease.from;
        const between = Object.fromEntries(
          Object.entries(this.target).map(([n, deg]) => [n, (from[n] ?? deg) + share * (deg - (from[n] ?? deg))]),
        );
        if (share === 1) this.ease = null;
        this.place(between);
        if (this.ease) this.draw();
      }
      this.renderer?.render(this.scene, this.camera);
    },

    draw() {
      if (this.pending === null) this.pending = requestAnimationFrame(() => this.step());
    },

    resize() {
      if (!this.renderer) return;
      const { clientWidth, clientHeight } = this.$el;
      if (!clientWidth || !clientHeight) return;
      this.renderer.setPixelRatio(Math.min(window.devicePixelRatio, 2));
      this.renderer.setSize(clientWidth, clientHeight, false);
      this.camera.aspect = clientWidth / clientHeight;
      this.camera.updateProjectionMatrix();
      this.draw();
    },

    // What the bones really show, read back from their rotations: {joint: degrees}.
    angles() {
      const found = {};
      for (const [name, { node, axis, rest, bind }] of Object.entries(this.bones)) {
        const turn = rest.clone().invert().multiply(node.quaternion);
        const along = turn.x * axis.x + turn.y * axis.y + turn.z * axis.z;
        found[name] = bind + THREE.MathUtils.radToDeg(2 * Math.atan2(along, turn.w));
      }
      return found;
    },
  },
};
