export { add as dropout } from "./add.js"; // every value goes through: so does its gradient
